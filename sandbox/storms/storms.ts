import { aroundStorms } from "./around.ts";
import { byHandStorms } from "./by-hand.ts";
import { serverStorms } from "./servers.ts";
import type { Storm } from "./storm.ts";

/** Everything that happens beside a run. */
export const storms: readonly Storm[] = [...serverStorms, ...byHandStorms, ...aroundStorms];
