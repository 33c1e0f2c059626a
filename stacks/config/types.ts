import type { z } from "zod";
import type { ArrayConfig } from "./array-schema.ts";
import type { Input, runSchema, SiteConfig } from "./schema.ts";
import type { UpgradeConfig } from "./upgrade-schema.ts";

/** A generation with everything that it extends. */
export interface GenerationConfig {
  readonly name: string;
  readonly imageId: string;
  readonly instanceType: string;
  readonly frontends: number;
  readonly array?: ArrayConfig;
  readonly inputs: Readonly<Record<string, Input>>;
  readonly inputsFrom?: string;
  readonly userDataFile?: string;
  readonly iamInstanceProfile?: string;
  readonly keyName?: string;
  readonly rootBlockDevice?: {
    readonly volumeSize?: number;
    readonly volumeType?: string;
    readonly iops?: number;
    readonly throughput?: number;
    readonly kmsKeyId?: string;
  };
  /** Of the servers, the site's among them. */
  readonly tags: Readonly<Record<string, string>>;
  readonly metadataHopLimit?: number;
  readonly monitoring?: boolean;
  readonly cpuCredits?: "standard" | "unlimited";
  readonly tenancy?: "default" | "dedicated";
  readonly placementGroup?: string;
}

export interface Config {
  readonly site: SiteConfig;
  readonly generations: Readonly<Record<string, GenerationConfig>>;
  /** The goal: the generation that should serve. */
  readonly live: string;
  readonly upgrade: UpgradeConfig;
  /** Only when stepping: a phase's name and its step, 1 being the first. */
  readonly phase?: string;
  readonly step?: number;
  readonly run?: z.infer<typeof runSchema>;
}
