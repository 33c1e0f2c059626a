import { Agent, request } from "undici";
import { z } from "zod";

const timeLimitMilliseconds = 10_000;
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
  }),
  z.object({ status: z.literal("error"), errorType: z.string(), error: z.string() }),
]);

/** The query is none, or could not be worked out. */
export class PrometheusRefused extends Error {
  constructor(type: string, message: string) {
    super(`Prometheus: ${type}: ${message}`);
    this.name = "PrometheusRefused";
  }
}

/**
 * The values of an instant query: of every element of a vector, or of the scalar.
 * @throws when the server does not answer within 10 s, answers more than 1 MB, refuses the query, or answers what is neither vector nor scalar
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
 */
export async function instantQuery(url: string, query: string, signal: AbortSignal): Promise<number[]> {
  const { statusCode, text } = await post(`${url.replace(/\/$/, "")}/api/v1/query`, { query }, signal);
  const answer = answerSchema.safeParse(parsed(text));
  if (!answer.success) throw new Error(`Prometheus answered HTTP ${statusCode}, and neither a vector nor a scalar`);
  if (answer.data.status === "error") throw new PrometheusRefused(answer.data.errorType, answer.data.error);
  const { data } = answer.data;
  return data.resultType === "scalar" ? [data.result[1]] : data.result.map(({ value }) => value[1]);
}

async function post(url: string, form: Record<string, string>, signal: AbortSignal) {
  const dispatcher = new Agent({ maxResponseSize: bodyLimit, pipelining: 0 });
  const limit = AbortSignal.timeout(timeLimitMilliseconds);
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
    if (limit.aborted) throw new Error(`no answer within ${timeLimitMilliseconds / 1000} s`, { cause: error });
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
