import { request } from "undici";
import { z } from "zod";
import { dispatcherTo } from "./http.ts";
import { proxyFor } from "./proxy.ts";

const timeLimitSeconds = 10;
const bodyLimit = 1024 * 1024;

/** A number is text, since JSON has no NaN and no infinity. */
const sample = z.tuple([z.number(), z.string().transform(toNumber)]);

const answerSchema = z.discriminatedUnion("status", [
  z.object({
    status: z.literal("success"),
    data: z.discriminatedUnion("resultType", [
      z.object({ resultType: z.literal("vector"), result: z.array(z.object({ value: sample })) }),
      z.object({ resultType: z.literal("scalar"), result: sample }),
    ]),
    warnings: z.array(z.string()).default([]),
  }),
  z.object({ status: z.literal("error"), errorType: z.string(), error: z.string() }),
]);

export interface PrometheusAnswer {
  /** Values of every element of a vector, or of the scalar. */
  readonly values: readonly number[];
  /** Prometheus's warnings about the query or its data. */
  readonly warnings: readonly string[];
}

/** The query is none, or could not be worked out. */
export class PrometheusRefused extends Error {
  override readonly name = "PrometheusRefused";
}

/**
 * Asks an instant query.
 * @throws PrometheusRefused when the query is to blame; else when the server does not answer in time (10 s), answers more than 1 MB, had no time for the query, or answers what is neither vector nor scalar
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
 */
export async function instantQuery(
  url: string,
  query: string,
  signal: AbortSignal,
  timeoutSeconds = timeLimitSeconds,
): Promise<PrometheusAnswer> {
  const { statusCode, text } = await post(`${url.replace(/\/$/, "")}/api/v1/query`, { query }, signal, timeoutSeconds);
  const answer = answerSchema.safeParse(parsed(text));
  if (!answer.success) throw new Error(`Prometheus answered HTTP ${statusCode}, and neither a vector nor a scalar`);
  if (answer.data.status === "error") throw refusal(answer.data);
  const { data, warnings } = answer.data;
  const values = data.resultType === "scalar" ? [data.result[1]] : data.result.map(({ value }) => value[1]);
  return { values, warnings };
}

/** A busy server, or one that is going down, says nothing about the query. */
function refusal({ errorType, error }: { readonly errorType: string; readonly error: string }): Error {
  const message = `Prometheus: ${errorType}: ${error}`;
  return ["bad_data", "execution"].includes(errorType) ? new PrometheusRefused(message) : new Error(message);
}

async function post(url: string, form: Record<string, string>, signal: AbortSignal, timeoutSeconds: number) {
  const { hostname, port, protocol } = new URL(url);
  const secure = protocol === "https:";
  const asked = {
    protocol: secure ? "https" : "http",
    names: [hostname],
    port: Number(port) || (secure ? 443 : 80),
  } as const;
  const connect = { timeout: timeoutSeconds * 1000 };
  const dispatcher = dispatcherTo(proxyFor(asked), connect, { maxResponseSize: bodyLimit });
  const limit = AbortSignal.timeout(timeoutSeconds * 1000);
  try {
    const { statusCode, body } = await request(url, {
      dispatcher,
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(form).toString(),
      signal: AbortSignal.any([signal, limit]),
    });
    return { statusCode, text: await body.text() };
  } catch (error) {
    if (limit.aborted) throw new Error(`no answer within ${timeoutSeconds} s`, { cause: error });
    throw error;
  } finally {
    await dispatcher.destroy();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toNumber(text: string): number {
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  if (text === "-Inf") return Number.NEGATIVE_INFINITY;
  return Number(text);
}
