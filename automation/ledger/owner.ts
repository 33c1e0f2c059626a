import { hostname, userInfo } from "node:os";

/** Who takes the lease. */
export interface LeaseOwner {
  /** A person's or a CI actor's name. */
  readonly who: string;
  readonly host: string;
  readonly pid: number;
  /** URL of the CI job, if there is one. */
  readonly job?: string;
}

/** This process as an owner; in CI the actor and the job's URL come from the variables that its system sets. */
export function currentOwner(env: NodeJS.ProcessEnv = process.env): LeaseOwner {
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID } = env;
  const github = GITHUB_RUN_ID && `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`;
  const job = github || env.CI_JOB_URL || env.BUILD_URL;
  return {
    who: env.GITHUB_ACTOR || env.GITLAB_USER_LOGIN || userName(),
    host: hostname(),
    pid: process.pid,
    ...(job ? { job } : {}),
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? "unknown"}`; // A container may run as a user that has no name.
  }
}

/** Who has the lease, or had it last. Times are ISO 8601, by the holder's clock. */
export interface LeaseHolder extends LeaseOwner {
  readonly command: string;
  readonly since: string;
  readonly heartbeat: string;
  readonly expires: string;
}
