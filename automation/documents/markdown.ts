/** A table in GitHub's Markdown. @param right heads of the columns that are aligned to the right */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly string[] = [],
): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const text = (cells: readonly string[]) => line(cells.map(escaped));
  return [text(head), line(head.map((name) => (right.includes(name) ? "---:" : "---"))), ...rows.map(text), ""];
}

/** Text that stays text: values come from configuration, AWS and the site's commands, and must not become markup or end a cell. */
export function escaped(text: string): string {
  return text
    .replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/[\\`*_[\]|@]/g, "\\$&")
    .replace(/\s+/g, " ");
}

/** Inline code that holds any text: its fence is longer than every run of backquotes in it. */
export function code(text: string): string {
  const inner = text.replaceAll("\n", " ");
  const fence = "`".repeat(Math.max(0, ...(inner.match(/`+/g) ?? []).map((run) => run.length)) + 1);
  return fence.length === 1 ? `\`${inner}\`` : `${fence} ${inner} ${fence}`;
}
