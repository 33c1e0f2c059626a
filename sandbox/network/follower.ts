import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { type Log, messageOf } from "./log.ts";
import type { CloudState } from "./state.ts";

export interface FollowOptions {
  readonly cloudUrl: string;
  /** Called with one snapshot at a time; the next is fetched when the promise has resolved. */
  readonly onState: (state: CloudState) => Promise<void>;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Seconds that the cloud may hold a request without a change. Default: 20. */
  readonly waitSeconds?: number;
}

const retryMilliseconds = { first: 100, most: 2_000 };

/**
 * Follows the cloud's state by long poll until the signal is aborted. While the cloud is away it keeps asking; when it is
 * back it takes a whole snapshot, because a cloud that has restarted counts its revisions from the start.
 */
export async function followCloud({ cloudUrl, onState, signal, log, waitSeconds = 20 }: FollowOptions): Promise<void> {
  let revision = -1;
  let retryAfter = retryMilliseconds.first;
  while (!signal.aborted) {
    try {
      const state = await nextState(cloudUrl, revision, waitSeconds, signal);
      if (retryAfter > retryMilliseconds.first) log("the cloud answers again");
      retryAfter = retryMilliseconds.first;
      if (state === undefined) continue;
      await onState(state);
      revision = state.revision;
    } catch (error) {
      if (signal.aborted) return;
      if (retryAfter === retryMilliseconds.first) log(`the cloud's state is not available: ${messageOf(error)}`);
      revision = -1;
      await sleep(retryAfter, undefined, { signal }).catch(() => {});
      retryAfter = Math.min(retryAfter * 2, retryMilliseconds.most);
    }
  }
}

async function nextState(
  cloudUrl: string,
  after: number,
  waitSeconds: number,
  signal: AbortSignal,
): Promise<CloudState | undefined> {
  const url = new URL(`/sandbox/state?after=${after}&waitSeconds=${waitSeconds}`, cloudUrl);
  const answer = await request(url, { signal, headersTimeout: (waitSeconds + 10) * 1000 });
  if (answer.statusCode === 200) return (await answer.body.json()) as CloudState;
  await answer.body.dump();
  if (answer.statusCode === 204) return undefined;
  throw new Error(`GET ${url.pathname} answered HTTP ${answer.statusCode}`);
}
