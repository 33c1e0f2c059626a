import type { Facts } from "./facts.ts";
import { frontendsOf } from "./servers.ts";

/** Share of the 16 KB that EC2 takes; the rest is for what the program adds. */
const mostBytes = 14_000;

/** The first server's user data, as a `userDataFile` for the servers that come after it. */
export function userDataOf(facts: Facts): { readonly text?: string; readonly remarks: readonly string[] } {
  const [first, ...others] = frontendsOf(facts).map(
    ({ InstanceId = "" }) => [InstanceId, facts.userData[InstanceId]] as const,
  );
  if (first === undefined || first[1] === undefined) return { remarks: [] };
  const [id, data] = first;
  const different = others.filter(([, other]) => other?.equals(data) !== true).map(([other]) => other);
  const remarks =
    different.length === 0 ? [] : [`${different.join(", ")}: other user data than ${id}, whose are taken.`];
  const text = data.toString();
  // Parts that cloud-init takes in an archive: https://docs.cloud-init.io/en/latest/explanation/format.html
  if (data.length <= mostBytes && /^(#!.*|#cloud-config\s*|#cloud-boothook\s*)(\r?\n|$)/.test(text)) {
    return {
      text,
      remarks: [
        ...remarks,
        "Look for secrets in the user data before you commit the file; AWS does not keep them either.",
      ],
    };
  }
  return {
    remarks: [
      `${id}: its user data are ${data.length} bytes, or of a kind that cannot be one part of several. Give the next generation a userDataFile of its own.`,
    ],
  };
}
