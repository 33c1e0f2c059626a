import { type CommandName, type ExitCode, type Explanation, exitCodes, toType } from "../errors.ts";

/** A command to type, without the stack. */
type Typed = readonly [command: CommandName, ...options: string[]];

/** Something that ends a command: what it means, and what to do. */
export interface Situation {
  readonly exitCodes: readonly ExitCode[];
  /** For the manual; a message names the case. Neither ends with a period. */
  readonly happened: string;
  readonly state: string;
  /** Work outside of Handover that comes before the next command. */
  readonly first?: string;
  readonly next?: Typed;
  readonly or?: readonly { readonly to: string; readonly type: Typed }[];
}

const { reached, usage, rolledBack, paused, needsPerson, busy, interrupted } = exitCodes;
const unchanged = "Nothing was changed";
const serving = "The site keeps serving, and nothing was taken back";
const seeWhatServes = { to: "see what serves, where nothing was proven since", type: ["status"] } as const;
const goBack = { to: "go back", type: ["rollback"] } as const;

/** Ends of a run, as its last event has them: `outcome`, with `reason` where there are several. */
export const endings = {
  reached: {
    exitCodes: [reached],
    happened: "The goal is reached",
    state: "The new generation serves alone, and a plain `pulumi up` changes nothing",
    or: [seeWhatServes],
  },
  "rolled-back": {
    exitCodes: [reached, rolledBack, needsPerson],
    happened: "The run went back: with 0 because that was asked for, with 2 since something failed",
    state:
      "The old generation serves alone, and the new one is gone. With 4 it does not pass its own checks; the message says which",
    first: "See why, mend the new generation, and upgrade again",
    next: ["report"],
    or: [seeWhatServes],
  },
  aborted: {
    exitCodes: [reached],
    happened: "The run was given up before it launched anything",
    state: "The old generation serves. The snapshot is kept, and what the migrations did is not undone",
    or: [seeWhatServes],
  },
  "paused: approval": {
    exitCodes: [paused],
    happened: "A person must approve what comes next",
    state: "The site serves as it is",
    first: "Look at the plan, approve it, and go on",
    next: ["approve", "--digest", "DIGEST"],
  },
  "paused: inconclusive": {
    exitCodes: [paused],
    happened:
      "Something could not be seen or planned, or the engine died; or something failed and `onFailure` is `pause`",
    state: serving,
    next: ["resume"],
    or: [goBack],
  },
  "paused: needs-person": {
    exitCodes: [paused],
    happened: "A migration was cut off, and nobody saw how it ended",
    state: "The old generation serves, and nothing was launched",
    first: "Look at the database",
    or: [
      { to: "go on, if it is complete", type: ["resume", "--migration", "done"] },
      { to: "run it once more", type: ["resume", "--migration", "again"] },
      goBack,
    ],
  },
  "paused: server-stopped": {
    exitCodes: [paused],
    happened: "A server that is to take traffic was stopped beside the run",
    state:
      "On the way back the old servers that can serve have the traffic and their addresses; an address whose server cannot stays where it is answered",
    first: "Start it, or terminate it: one that is terminated is launched anew",
    next: ["resume"],
  },
  "paused: server-missing": {
    exitCodes: [paused],
    happened: "A server ended beside the run, and could not be launched anew, or did not pass its checks",
    state:
      "On the way back the old servers that can serve have the traffic and their addresses; an address whose server cannot stays where it is answered",
    first: "Remove the cause: room in the zone, an image that is there, a quota",
    next: ["resume"],
  },
  "paused: going back": {
    exitCodes: [paused],
    happened: "Something could not be seen on the way back, or the engine died twice",
    state: "What is back stays back; nothing that serves was removed",
    next: ["resume"],
  },
  "failed: refused": {
    exitCodes: [needsPerson],
    happened: "A plan would do what its phase may not do: the cloud or the configuration changed beside the run",
    state: "None of it was applied",
    first: "Put back what the message names, or make that change outside of a run",
    next: ["resume"],
  },
  "failed: thaw": {
    exitCodes: [needsPerson],
    happened: "The command that thaws the database failed",
    state: "The database may still be frozen",
    first: "Thaw it by hand",
    next: ["resume"],
  },
  "failed: no way back": {
    exitCodes: [needsPerson],
    happened: "Something failed after old servers had begun to leave",
    state: "The new generation serves, so there is no way back",
    first: "Look at the cause",
    next: ["resume"],
  },
  "failed: going back": {
    exitCodes: [needsPerson],
    happened: "Something failed on the way back",
    state: "Going back has not ended; what is back stays back",
    first: "Look at what serves, and remove the cause",
    next: ["resume"],
  },
  "failed: not reversible": {
    exitCodes: [needsPerson],
    happened: "The migrations are declared not reversible, so nothing was taken back by itself",
    state: serving,
    first: "Make sure that the old generation works with the new schema",
    next: ["rollback", "--accept-schema"],
  },
  interrupted: {
    exitCodes: [interrupted],
    happened: "Ctrl-C, or a signal",
    state: "The operation in hand was finished and nothing else was started",
    next: ["resume"],
    or: [{ to: "go on with a first deployment", type: ["upgrade"] }],
  },
  "paused: outside a run": {
    exitCodes: [paused],
    happened: "The engine died twice in an update outside of a run, as the first deployment is",
    state: "Nothing that serves was touched",
    next: ["upgrade"],
  },
  "failed: outside a run": {
    exitCodes: [needsPerson],
    happened: "An update outside of a run failed: the first deployment, or a change that needs no new generation",
    state: "Nothing that serves was touched",
    first: "Find and remove the cause",
    next: ["upgrade"],
  },
} as const satisfies Readonly<Record<string, Situation>>;

/** Errors by their code: the command did not come to its end, or not even to its beginning. */
export const errors = {
  usage: {
    exitCodes: [usage],
    happened: "The command line is wrong",
    state: unchanged,
    first: "Fix what the message names",
  },
  "invalid-configuration": {
    exitCodes: [usage],
    happened: "The stack's file is wrong, or its goal cannot be reached from what serves",
    state: unchanged,
    first: "Fix the key that the message names",
    next: ["plan"],
  },
  "unknown-stack": {
    exitCodes: [usage],
    happened: "There is no such stack",
    state: unchanged,
    first: "Choose one that the message names",
  },
  "stack-not-deployed": {
    exitCodes: [usage],
    happened: "The stack was never deployed",
    state: unchanged,
    next: ["upgrade"],
  },
  "not-confirmed": {
    exitCodes: [usage],
    happened: "A person at the terminal was shown the plan, and did not say yes",
    state: unchanged,
    first: "Type the command again, with `--yes` to go on without the question",
  },
  "no-project": {
    exitCodes: [usage],
    happened: "Neither this folder nor one above it has a Pulumi.yaml",
    state: unchanged,
    first: "Go to the project's folder, or make one with `npx handover init`",
  },
  "no-new-project": {
    exitCodes: [usage],
    happened: "A project cannot be made in this folder: a name, or files that are there, stand against it",
    state: "Nothing was written",
    first: "Do what the message says, or take an empty folder",
  },
  "not-a-package": {
    exitCodes: [usage],
    happened: "`handover init` was started in Handover's own repository, of which no package was made",
    state: "Nothing was written",
    first: "`npm pack`, and install the package in the new project's folder",
  },
  "unknown-run": { exitCodes: [usage], happened: "The ledger has no such run", state: unchanged, next: ["history"] },
  "no-run": {
    exitCodes: [usage],
    happened: "There is no unfinished run",
    state: unchanged,
    first: "To go to another generation, set handover:live to it",
    next: ["upgrade"],
  },
  "run-unfinished": {
    exitCodes: [usage],
    happened: "A run stands between the stack and its new goal",
    state: unchanged,
    next: ["resume"],
    or: [goBack],
  },
  "too-late-to-abort": {
    exitCodes: [usage],
    happened: "The run has begun to launch servers, so it cannot be given up",
    state: unchanged,
    next: ["rollback"],
    or: [{ to: "go on, once old servers leave", type: ["resume"] }],
  },
  "no-way-back": {
    exitCodes: [usage],
    happened: "The old servers are leaving or gone",
    state: `${unchanged}. Once the run has ended, the old generation can be the goal of the next one`,
    next: ["resume"],
    or: [{ to: "go back from a run that was finished by hand", type: ["upgrade"] }],
  },
  "nothing-to-approve": {
    exitCodes: [usage],
    happened: "No run waits for approval",
    state: unchanged,
    next: ["status"],
  },
  "other-plan": {
    exitCodes: [usage],
    happened: "The run waits with another plan than the one that was approved",
    state: "Nothing was approved",
    next: ["status"],
    or: [{ to: "approve the other one", type: ["approve", "--digest", "DIGEST"] }],
  },
  "no-database": {
    exitCodes: [usage],
    happened: "The site declares no database",
    state: unchanged,
    first: "Declare handover:site.database",
  },
  "cannot-adopt": {
    exitCodes: [usage],
    happened: "The site cannot be adopted as it is",
    state: unchanged,
    first: "Change what the message names",
  },
  "aws-failed": {
    exitCodes: [usage, needsPerson],
    happened: "AWS refused a request",
    state: unchanged,
    next: ["doctor"],
  },
  "no-simulator": {
    exitCodes: [usage, needsPerson],
    happened: "The simulated cloud of `plan` did not start",
    state: unchanged,
    next: ["doctor"],
  },
  "engine-failed": {
    exitCodes: [usage, needsPerson],
    happened: "The backend did not open the stack, or its state could not be read or written",
    state: "The cloud was not changed by that",
    first: "Check the backend, the passphrase or the key",
    next: ["doctor"],
  },
  "another-site": {
    exitCodes: [usage],
    happened: "The stack is empty in this backend, but its site is there: another backend has its state",
    state: unchanged,
    first: "Name the backend that has it, or give a second site a stack with another name",
    next: ["doctor"],
  },
  "another-state": {
    exitCodes: [usage],
    happened: "The state is older than the site: a run has changed the site since, with another copy of the state",
    state: unchanged,
    first: "Name the backend in which the newest state is",
    next: ["doctor"],
    or: [{ to: "go on with this state, once it is as the site is", type: ["upgrade", "--accept-state"] }],
  },
  "another-place": {
    exitCodes: [usage],
    happened: "Handover's own calls, the engine and the site are not in one account and region",
    state: unchanged,
    first: "Use the credentials and the region that the message names",
    next: ["doctor"],
  },
  "not-seen": {
    exitCodes: [paused],
    happened:
      "AWS, a server or the load balancer cannot be reached from here, or AWS does not take the credentials or lets them do too little",
    state: serving,
    first: "Mend what the message names: the network, a proxy, the credentials, a policy",
    next: ["resume"],
    or: [{ to: "begin again, where nothing was begun", type: ["upgrade"] }],
  },
  "engine-busy": {
    exitCodes: [busy],
    happened: "An engine works on the stack: of a person, or on another machine",
    state: "Nothing was changed",
    first: "Wait until it has ended, or free the lock as the message says",
    next: ["status"],
  },
  "ledger-missing": {
    exitCodes: [needsPerson],
    happened: "The site's table does not exist in this account and region",
    state: unchanged,
    next: ["doctor"],
    or: [{ to: "deploy a site that never was", type: ["upgrade"] }],
  },
  "ledger-gone": {
    exitCodes: [needsPerson],
    happened: "The site is there, and its table is not: somebody deleted it",
    state: unchanged,
    first: "Restore it from its backups, or begin an empty one with `pulumi refresh` and `pulumi up`",
    next: ["upgrade"],
  },
  "ledger-unavailable": {
    exitCodes: [needsPerson],
    happened: "DynamoDB could not be reached, or refused the request",
    state:
      "Whether the last write took effect is not known, and it does not matter: it is read again at the next start",
    first: "Wait until DynamoDB answers again",
    next: ["resume"],
  },
  "ledger-unreadable": {
    exitCodes: [needsPerson],
    happened: "An entry of the ledger was altered, or a newer version of Handover wrote it",
    state: "The site is as it was",
    next: ["history", "--verify"],
  },
  "ledger-conflict": {
    exitCodes: [needsPerson],
    happened:
      "Somebody else wrote the ledger's next event although this run holds the lease: was the table edited or restored?",
    state: "The event was not recorded, and the site is as it was",
    next: ["history", "--verify"],
    or: [{ to: "go on", type: ["resume"] }],
  },
  "ledger-empty": {
    exitCodes: [needsPerson],
    happened: "The ledger has no run yet",
    state: unchanged,
    next: ["upgrade"],
  },
  "lease-held": {
    exitCodes: [busy],
    happened: "Another run works on the stack",
    state: unchanged,
    first:
      "Wait for it with the same command and `--wait 10m`, or take its lease over with `--take-over` if its process died on this machine",
    next: ["status"],
  },
  "lease-lost": {
    exitCodes: [busy],
    happened: "The run lost its lease: its machine was asleep, or cut off from DynamoDB",
    state: "It stopped before its next operation; the site stays as the last finished operation left it",
    next: ["resume"],
    or: [{ to: "see who works on it now", type: ["status"] }],
  },
  bug: {
    exitCodes: [needsPerson],
    happened: "This should not have happened",
    state: "What was in hand can be resumed",
    first: "Report it",
    next: ["resume"],
  },
} as const satisfies Readonly<Record<string, Situation>>;

/** Inside a run these are told as one of its ends. */
export const withinRuns = [
  "approval-needed",
  "command-cut-off",
  "engine-died",
  "evidence-inconclusive",
  "engine-refused-plan",
  "gate-failed",
  "not-planned",
  "not-shown",
  "plan-refused",
  "preview-failed",
  "server-missing",
  "server-stopped",
  "thaw-failed",
  "update-failed",
  "interrupted",
] as const;

/** What to do, as part of a message. */
export function remedyOf({ first, next, or }: Situation, stack: string): Pick<Explanation, "first" | "next" | "or"> {
  return {
    ...(first !== undefined && { first }),
    ...(next !== undefined && { next: typed(next, stack) }),
    ...(or !== undefined && { or: or.map(({ to, type }) => ({ to, type: typed(type, stack) })) }),
  };
}

export function typed([command, ...options]: Typed, stack: string): string {
  return toType(command, stack, ...options);
}
