/**
 * The properties of a resource that was there before the stack, of which none is changed: whatever the program says, it
 * stays as `pulumi import` found it. https://www.pulumi.com/docs/iac/concepts/options/ignorechanges/
 */
export const asFound = ["*"];
