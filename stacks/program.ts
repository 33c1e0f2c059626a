import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { allConfig } from "@pulumi/pulumi/runtime/index.js";
import { arrayFacts } from "./array-facts.ts";
import { readStackYaml } from "./config/stack-yaml.ts";
import { type Config, ConfigError, configValue, parseConfig } from "./config.ts";
import { disksLost } from "./disks.ts";
import { publicAddresses } from "./egress.ts";
import { objection } from "./guard.ts";
import { allAtOnce, type Intent, intent, isTrafficFirst, type SiteShape, settled, shapeOf, stepsOf } from "./intent.ts";
import { cutOff, misplaced, placeOf, releases, shutIn } from "./losses.ts";
import { namedAddresses } from "./named-addresses.ts";
import { components, siteNames } from "./names.ts";
import { type Definitions, type LastOutputs, type Outputs, parseOutputs, withoutAddress } from "./outputs.ts";
import { type Parameters, withParameters } from "./parameters.ts";
import { projectDirectory } from "./project.ts";
import { isIntentRow, lastPhase, phaseNames, withdraw } from "./runbook.ts";
import { fixedOf } from "./server-arguments.ts";
import { rootDeviceNameOf, Site, type SiteArgs } from "./site.ts";
import { siteOutputs } from "./site-outputs.ts";
import { siteName } from "./tags.ts";
import { inputDigests, siteAsLaunched, userData, userDataDigest } from "./user-data.ts";

/** The Pulumi program: from the configuration and the stack's own last outputs to the site. Returns the outputs. */
export async function program(): Promise<Record<string, unknown>> {
  const { name, args, outputs } = await siteArguments();
  return outputs(new Site(name, args));
}

/** What a program of one's own makes its site from, and gives as its outputs: the driver reads them. */
export interface SiteArguments {
  /** The site's name in the stack. The driver knows its resources by theirs, so there is no other. */
  readonly name: string;
  readonly args: SiteArgs;
  /** Outputs for the driver; a program may add others. */
  readonly outputs: (site: Site) => Record<string, unknown>;
}

/**
 * Reads the stack's configuration, its last outputs, and where in an upgrade it is. A program of one's own makes the site
 * from that: `new Site(name, args)`.
 * @throws RunError for what the configuration must not be; nothing was changed
 */
export async function siteArguments(): Promise<SiteArguments> {
  try {
    return await argumentsOf(handoverValues());
  } catch (error) {
    // Shown without a stack trace.
    if (error instanceof ConfigError) throw new pulumi.RunError(error.message);
    throw error;
  }
}

/**
 * Looks at the stack's file as the driver does: the engine has read it, and what it made of a value is not what is written
 * everywhere. One that is not in the project's folder is not seen.
 */
function checkFile(): void {
  const name = `Pulumi.${pulumi.getStack()}.yaml`;
  const file = [process.cwd(), projectDirectory].map((folder) => join(folder, name)).find((each) => existsSync(each));
  const { problems } = file === undefined ? { problems: [] } : readStackYaml(readFileSync(file, "utf8"));
  if (problems.length > 0) throw new pulumi.RunError(problems.map((problem) => `${name}: ${problem}`).join("\n"));
}

async function argumentsOf(values: Record<string, unknown>): Promise<SiteArguments> {
  // The driver has read the file already, and goes on with what was in it.
  if (values.run === undefined) checkFile();
  const stated = parseConfig(values, projectDirectory);
  const last = await lastOutputs();
  const position = decide(stated, last);
  const inUse = new Set([
    ...Object.keys(position.intent.generations),
    ...(last === undefined ? [] : [last.outputs.live]),
  ]);
  const { config, parameters } = await withParameters(stated, [...inUse], last?.definitions, parametersUnder);
  const userDataOf = memoize((name: string) =>
    userData(generationOf(config, name), siteAsLaunched(config.site, last, name), projectDirectory),
  );
  const name = siteName(pulumi.getStack(), last?.outputs);
  const named = await namedAddresses(config, last, name);
  const outsideRun = position.run === null && last?.outputs.run == null;
  const problem =
    objection(config, last, ({ name }) => userDataDigest(userDataOf(name))) ??
    cutOff(position.intent, last) ??
    misplaced(config, last) ??
    releases(config, last, outsideRun) ??
    named.problems[0] ??
    (config.run === undefined ? await disksLost(position.intent, last) : undefined);
  if (problem !== undefined) await refuse(problem);
  const warning =
    config.run === undefined && isTrafficFirst(shapeOf(config)) ? shutIn(position.intent, last) : undefined;
  if (warning !== undefined) await pulumi.log.warn(warning);

  const [definitions, facts, addresses] = await Promise.all([
    define(config, position.intent, last, userDataOf, parameters),
    arrayFacts(position.intent, position.run, last),
    publicAddresses(config.site.network),
  ]);
  const owner = { site: name, id: last?.outputs.siteId ?? newId() };
  const args: SiteArgs = {
    config,
    intent: position.intent,
    owner,
    isNew: last === undefined,
    rootDeviceNames: Object.fromEntries(Object.entries(definitions).map(([name, d]) => [name, d.rootDeviceName])),
    userData: userDataOf,
    arrayFacts: facts,
    publicAddresses: addresses,
    namedAddresses: named.addresses,
    isReleased: (index) => mayBeReleased(config, last, index),
  };
  const outputs = (site: Site) => {
    const { live } = position.intent;
    // The engine deletes what depends on everything first. That is protected, so a `pulumi destroy` deletes nothing at all: one
    // whose preview is skipped would delete whatever else it can.
    const opts = { dependsOn: site, protect: true };
    const complete = new pulumi.ComponentResource(components.Complete, siteNames.site, {}, opts);
    return {
      ...siteOutputs(site, config, position, facts, (index) => !mayBeReleased(config, last, index)),
      // An interrupted first deployment does not count as deployed: its outputs come once the whole site is there.
      live: last === undefined ? complete.urn.apply(() => live) : live,
      definitions: pulumi.secret(definitions),
      ledgerTable: owner.site,
      siteId: site.id,
      lastRun: config.run?.id ?? last?.outputs.lastRun ?? "none",
    };
  };
  return { name: siteNames.site, args, outputs };
}

/** A preview does not know it yet. */
function newId(): pulumi.Input<string> {
  if (!pulumi.runtime.isDryRun()) return randomBytes(8).toString("hex");
  return pulumi.output(pulumi.unknown) as unknown as pulumi.Output<string>;
}

interface Position {
  readonly intent: Intent;
  readonly run: Outputs["run"];
}

/** Finds the position in the run: from the driver's key, or by hand from what serves now to the goal. */
function decide(config: Config, last: LastOutputs | undefined): Position {
  const shape = shapeOf(config.run?.atOnce === true ? allAtOnce(config) : config);
  const from = config.run?.from ?? last?.outputs.live ?? config.live;
  const to = config.run?.to ?? config.live;
  if (config.phase === undefined || from === to) return { intent: settled(shape, to), run: null };
  if (!isIntentRow(config.phase)) {
    throw new pulumi.RunError(
      `handover:phase: there is no phase "${config.phase}"; the runbook has ${phaseNames.join(", ")}`,
    );
  }
  const step = config.step ?? stepByHand(shape, config.phase, last);
  const { left = [], short = shortByHand(shape, from, step, last) } = config.run ?? {};
  const desired = intent(shape, from, to, config.phase, step, left, short);
  if (config.phase === lastPhase && left.length === 0) return { intent: desired, run: null };
  const run = { id: config.run?.id ?? "by-hand", from, to, phase: config.phase, step: step ?? null };
  return { intent: desired, run };
}

/** Going back by hand takes two updates, the last ones of the row; of every other row the last step is applied. */
function stepByHand(shape: SiteShape, phase: string, last: LastOutputs | undefined): number | undefined {
  if (phase !== withdraw) return undefined;
  const steps = stepsOf(shape, withdraw);
  return last?.outputs.run?.phase === withdraw ? steps : steps - 1;
}

/** Who names the first step of going back puts the traffic back alone. */
function shortByHand(shape: SiteShape, from: string, step: number | undefined, last: LastOutputs | undefined) {
  return last !== undefined && step === 1 && isTrafficFirst(shape) ? withoutAddress(last.outputs, from) : [];
}

/** Collects what each generation is launched from. The root device's name is read once: the image may be gone later. */
async function define(
  config: Config,
  desired: Intent,
  last: LastOutputs | undefined,
  userDataOf: (name: string) => string,
  parameters: Readonly<Record<string, Parameters>>,
): Promise<Definitions> {
  const entries = Object.entries(desired.generations).map(async ([name, { frontends }]) => {
    const generation = generationOf(config, name);
    const { imageId } = generation;
    const known = last?.definitions[name];
    const rootDeviceName = known?.imageId === imageId ? known.rootDeviceName : await rootDeviceNameOf(imageId);
    const digest = userDataDigest(userDataOf(name));
    const given = parameters[name] ?? {};
    const launchedWith = Object.keys(given).length > 0 ? { parameters: given } : {};
    const launched = { ...fixedOf(generation), imageId, rootDeviceName };
    const { hostname } = siteAsLaunched(config.site, last, name);
    const told = { userDataDigest: digest, hostname, inputDigests: inputDigests(generation.inputs) };
    return [name, { ...launched, ...told, place: placeOf(config, name), frontends, ...launchedWith }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Whether somebody said so of the address at this place. */
function mayBeReleased({ site }: Config, last: LastOutputs | undefined, index: number): boolean {
  const publicIp = last?.outputs.addresses[index]?.publicIp;
  return publicIp !== undefined && site.releaseAddresses.includes(publicIp);
}

async function parametersUnder(path: string): Promise<Parameters> {
  const { names, types, values } = await aws.ssm.getParametersByPath({ path, withDecryption: true });
  return Object.fromEntries(
    names.map((name, index) => [
      name.split("/").at(-1) ?? "",
      { value: values[index] ?? "", secret: types[index] === "SecureString" },
    ]),
  );
}

/**
 * This stack's own last outputs; undefined for one that was never deployed. They are asked for, and not read as a
 * `StackReference`: that is a resource, which every refresh after an update would find changed.
 */
async function lastOutputs(): Promise<LastOutputs | undefined> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const { outputs } = await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name });
  return parseOutputs(outputs);
}

/** Refuses an update before it starts; a preview still shows what would happen. */
async function refuse(problem: string): Promise<void> {
  if (!pulumi.runtime.isDryRun()) throw new pulumi.RunError(problem);
  await pulumi.log.warn(problem);
}

function handoverValues(): Record<string, unknown> {
  const prefix = "handover:";
  return Object.fromEntries(
    Object.entries(allConfig())
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), configValue(value)]),
  );
}

function generationOf(config: Config, name: string) {
  const generation = config.generations[name];
  if (generation === undefined) {
    throw new pulumi.RunError(
      `handover:generations: generation "${name}" is in use but not declared; put it back until another generation is live`,
    );
  }
  return generation;
}

function memoize(compute: (name: string) => string): (name: string) => string {
  const known = new Map<string, string>();
  return (name) => known.get(name) ?? known.set(name, compute(name)).get(name) ?? "";
}
