import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { type Access, type Identified, identified, type Service } from "./access.ts";
import { proxyEnvironment } from "./proxy.ts";
import { type Retries, retries } from "./retries.ts";

/** Settings of one client of AWS's SDK. */
export interface ClientSettings extends Identified, Retries {
  readonly requestHandler: Handler;
}

interface Handler {
  readonly connectionTimeout: number;
  readonly httpAgent?: HttpAgent;
  readonly httpsAgent?: HttpsAgent;
}

/** As many connections as the SDK's own agents have. */
const maxSockets = 50;

/** Settings for one client: what it learns of its service, and its connections, are its own. */
export function clientSettings(access: Access, service: Service): ClientSettings {
  return { ...identified(access, service), ...retries(), ...connections() };
}

/** The same for a look that nothing waits for long. */
export function briefly(access: Access, service: Service, maxAttempts: number) {
  return { ...identified(access, service), maxAttempts, ...connections() };
}

/** Connections of one client, through a proxy where the environment names one. */
export function connections(): { readonly requestHandler: Handler } {
  const proxyEnv = proxyEnvironment();
  // The system's own limit is minutes, and each attempt would wait for it.
  const limits = { connectionTimeout: 10_000 };
  if (proxyEnv === undefined) return { requestHandler: limits };
  const options = { keepAlive: true, maxSockets, proxyEnv };
  return { requestHandler: { ...limits, httpAgent: new HttpAgent(options), httpsAgent: new HttpsAgent(options) } };
}
