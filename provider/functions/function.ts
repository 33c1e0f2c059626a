import type { Cloud } from "../cloud.ts";
import type { Fields } from "../fields.ts";
import type { Properties } from "../values.ts";

/** A function of the provider, for example `aws.ec2.getAmi`; arguments that are not supported are errors. */
export interface ProviderFunction<Args, Result> {
  readonly fields: Fields<Args>;
  invoke(args: Args, cloud: Cloud): Promise<Omit<Result, "region" | keyof Args> & Partial<Result>>;
}

export interface AnyFunction {
  readonly fields: Fields;
  invoke(args: Properties, cloud: Cloud): Promise<object>;
}

export function providerFunction<Args, Result>(definition: ProviderFunction<Args, Result>): AnyFunction {
  return definition as unknown as AnyFunction;
}
