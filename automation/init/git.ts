import { execa } from "execa";

/** What the workflows need of git, where it is not there. */
export async function gitRemark(directory: string): Promise<string[]> {
  const { failed, stdout, code } = await execa("git", ["rev-parse", "--show-prefix"], {
    cwd: directory,
    reject: false,
  });
  if (code === "ENOENT") return ["git is not installed: the workflows run once the project is in a repository"];
  if (failed)
    return ["this folder is in no git repository: the workflows run once it is, for example after `git init`"];
  if (stdout === "") return [];
  return [
    `this folder is ${stdout.replace(/\/$/, "")} of a git repository, and GitHub and GitLab read workflows at its root only: move them there, and let their steps run in this folder`,
  ];
}
