import { closestMatch } from "leven";

/** Suggests the known word that is nearest, if it is near. */
function suggestion(word: string, known: readonly string[]): string | undefined {
  return closestMatch(word, [...known], { maxDistance: Math.max(1, Math.ceil(word.length / 3)) });
}

/** `; did you mean X?`, or nothing. */
export function didYouMean(word: string, known: readonly string[], show = (match: string) => match): string {
  const match = suggestion(word, known);
  return match === undefined ? "" : `; did you mean ${show(match)}?`;
}
