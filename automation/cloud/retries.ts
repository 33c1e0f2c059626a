import { AdaptiveRetryStrategy, DefaultRateLimiter } from "@smithy/core/retry";

/** Retry options of one client of AWS's SDK: what it learns of its service is its own. */
export interface Retries {
  readonly retryStrategy: AdaptiveRetryStrategy;
}

/**
 * Up to 8 attempts with jitter, and slower while AWS throttles, but never slower than 5 calls a second: that is the
 * slowest rate at which EC2 fills up an action's bucket, and the client would also slow down the actions that are not
 * throttled. https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 * https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
 */
export function retries(): Retries {
  const rateLimiter = new DefaultRateLimiter({ minFillRate: 5, minCapacity: 5 });
  return { retryStrategy: new AdaptiveRetryStrategy(8, { rateLimiter }) };
}
