import { stripVTControlCharacters, styleText } from "node:util";

/** Whether colours and other control sequences belong on a stream: https://no-color.org */
export function isColourful(
  stream: { readonly isTTY?: boolean },
  environment: NodeJS.ProcessEnv = process.env,
): boolean {
  return stream.isTTY === true && (environment.NO_COLOR ?? "") === "" && environment.TERM !== "dumb";
}

/** A word of progress in its colour, where that belongs. */
export function paint(style: "bold" | "green" | "red" | "yellow", text: string): string {
  return isColourful(process.stderr) ? styleText(style, text, { validateStream: false }) : text;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to take out
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** A text for a stream: what a site's own command or AWS puts into it reaches a file or a pipe without control characters. */
export function plain(text: string, stream: { readonly isTTY?: boolean }): string {
  return isColourful(stream) ? text : stripVTControlCharacters(text).replaceAll(control, "");
}
