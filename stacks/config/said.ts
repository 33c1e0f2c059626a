/** Placeholders of `handover:upgrade.identify.equals`. */

const placeholder = /\$inputs\.([A-Za-z_][A-Za-z0-9_]*)|\$generation\b/g;

/** Names of the inputs in it; undefined when nothing in it differs between generations. */
export function inputsIn(equals: string): readonly string[] | undefined {
  const found = [...equals.matchAll(placeholder)];
  return found.length === 0 ? undefined : found.flatMap(([, input]) => input ?? []);
}

/** What a generation says of itself. @throws for a secret input; the driver reads the configuration decrypted */
export function said(
  equals: string,
  { name, inputs }: { readonly name: string; readonly inputs: Readonly<Record<string, unknown>> },
): string {
  return equals.replaceAll(placeholder, (_, input: string | undefined) => {
    const value = input === undefined ? name : inputs[input];
    if (typeof value !== "string") throw new Error(`The secret input ${input} was not decrypted.`);
    return value;
  });
}
