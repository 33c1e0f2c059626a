/**
 * Host names of a listener rule's condition: `*` stands for any number of characters, `?` for exactly one, and case does
 * not count. https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
 */

/** Whether some name is matched by both. A name without wildcards matches itself. */
export function overlap(one: string, other: string): boolean {
  return meet(one.toLowerCase(), other.toLowerCase());
}

function meet(one: string, other: string): boolean {
  if (one === "" && other === "") return true;
  if (one.startsWith("*")) return meet(one.slice(1), other) || (other !== "" && meet(one, other.slice(1)));
  if (other.startsWith("*")) return meet(other, one);
  if (one === "" || other === "") return false;
  return (one[0] === other[0] || one[0] === "?" || other[0] === "?") && meet(one.slice(1), other.slice(1));
}

export function hasWildcard(pattern: string): boolean {
  return /[*?]/.test(pattern);
}
