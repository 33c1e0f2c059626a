import { GetServiceQuotaCommand, ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import type { Access } from "./access.ts";
import { briefly } from "./client-settings.ts";

/** https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html */
export interface Quota {
  readonly service: string;
  readonly code: string;
}

/** The account's limits. */
export class Quotas {
  readonly #client: ServiceQuotasClient;

  constructor(access: Access) {
    this.#client = new ServiceQuotasClient(briefly(access, "servicequotas", 3));
  }

  /** Undefined where Service Quotas does not say. */
  async limit(quota: Quota, abortSignal?: AbortSignal): Promise<number | undefined> {
    try {
      return await this.mustTell(quota, abortSignal);
    } catch {
      abortSignal?.throwIfAborted();
      return undefined;
    }
  }

  /** Undefined where the account has none of its own. */
  async mustTell({ service, code }: Quota, abortSignal?: AbortSignal): Promise<number | undefined> {
    const command = new GetServiceQuotaCommand({ ServiceCode: service, QuotaCode: code });
    return (await this.#client.send(command, { abortSignal })).Quota?.Value;
  }

  close(): void {
    this.#client.destroy();
  }
}
