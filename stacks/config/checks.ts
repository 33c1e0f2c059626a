import { z } from "zod";
import { command, inputValue, jsonPath, path, seconds } from "./primitives.ts";
import { cloudWatchSchema } from "./watch-schema.ts";

/** The schema of `handover:upgrade.smoke` and `handover:upgrade.sessions`. */

/** A check waits this long at most, in seconds; a command or a document takes as long as a suite does. */
const longestAnswerSeconds = 60;
const longestCommandSeconds = 3600;

const pattern = z.string().refine(isPattern, "must be a regular expression, for example ^ok$");

/** One HTTP question, asked of each new server, through the test host name, and through every Elastic IP after its move. */
const httpCheck = z.strictObject({
  path,
  method: z.enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]).default("GET").describe("Default: GET."),
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9-]+$/, "must be the name of a header"), inputValue)
    .default({})
    .describe("Sent beside `host`. Values may be Pulumi secrets. Default: none."),
  expectStatus: z
    .number()
    .int()
    .min(100)
    .max(599)
    .default(200)
    .describe("Default: 200. A redirect is an answer, it is not followed."),
  expectBody: pattern.optional().describe("What the first 64 KB of the body must match. Default: anything."),
  expectJson: z
    .strictObject({ path: jsonPath, equals: z.json() })
    .optional()
    .describe("What the body's JSON must have at a place. Default: anything."),
  timeoutSeconds: z
    .number()
    .int()
    .min(1)
    .max(longestAnswerSeconds)
    .default(5)
    .describe("For connecting, waiting and reading together. Default: 5."),
  passes: z
    .number()
    .int()
    .min(1)
    .max(20)
    .default(1)
    .describe("How often in a row it must be answered as expected. Default: 1."),
  tls: z
    .strictObject({
      verify: z
        .boolean()
        .default(true)
        .describe("Whether the certificate must be valid and for the server's name. Default: true."),
      serverName: z
        .string()
        .min(1)
        .optional()
        .describe("The name that the certificate must be for. Default: the host name that is asked for."),
    })
    .prefault({})
    .describe("Where the listener speaks HTTPS."),
});

/** The user's own suite, run in the project's folder: exit code 0 passes. */
const commandCheck = z.strictObject({
  command,
  timeoutSeconds: z.number().int().min(1).max(longestCommandSeconds).default(300).describe("Default: 300."),
});

/**
 * A document that Systems Manager runs on each new server: `Success` passes.
 * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html
 */
const documentCheck = z.strictObject({
  ssm: z.strictObject({
    /** Default: AWS-RunShellScript, whose parameter is `commands`. */
    document: z
      .string()
      .regex(/^[a-zA-Z0-9_\-.:/]{3,128}$/, "must be the name of a document, for example AWS-RunShellScript")
      .default("AWS-RunShellScript"),
    parameters: z
      .record(z.string(), z.array(z.string()))
      .default({})
      .describe("Default: none. They can be read in AWS by whoever may list commands: no place for secrets."),
  }),
  timeoutSeconds: z.number().int().min(1).max(longestCommandSeconds).default(60).describe("Default: 60."),
});

export const smokeCheck = z.union([httpCheck, commandCheck, documentCheck]);

export const sessionsSchema = z
  .strictObject({
    path: path
      .optional()
      .describe("The status page of each old server, asked on its private address and the site's port."),
    field: z
      .string()
      .min(1)
      .optional()
      .describe("Apache's status: the line `Field: number`. https://httpd.apache.org/docs/2.4/mod/mod_status.html"),
    json: jsonPath.optional().describe("A page in JSON: where the number is."),
    cloudWatch: cloudWatchSchema
      .refine(
        ({ metrics }) => Object.values(metrics).every(({ dimensions }) => Object.values(dimensions).some(namesServer)),
        "must be of one server: give each metric a dimension like InstanceId: $instanceId",
      )
      .optional()
      .describe("Instead of a page: a metric that each server has in CloudWatch. `$instanceId` stands for the server."),
    atMost: z
      .number()
      .min(0)
      .default(0)
      .describe(
        "A server with at most this many is quiet. Apache's BusyWorkers counts the request that asks. Default: 0.",
      ),
    quietSeconds: seconds.default(10).describe("How long a server must stay quiet before it ends. Default: 10."),
    limitSeconds: seconds.default(3600).describe("How long a server that is not quiet is waited for. Default: 3600."),
    onLimit: z
      .enum(["pause", "terminate"])
      .default("pause")
      .describe(
        "What follows then: `pause` waits for a person, `terminate` ends the server with its sessions. Default: pause.",
      ),
  })
  .refine(
    ({ field, json, cloudWatch }) => [field, json, cloudWatch].filter((source) => source !== undefined).length === 1,
    "give one of field, json and cloudWatch",
  )
  .refine(
    ({ path, cloudWatch }) => (path === undefined) !== (cloudWatch === undefined),
    "field and json are on a page: give its path with them, and none with cloudWatch",
  )
  .refine(
    ({ quietSeconds, limitSeconds }) => quietSeconds <= limitSeconds,
    "quietSeconds must not be above limitSeconds, or no server could become quiet in time",
  );

export type HttpCheck = z.infer<typeof httpCheck> & {
  /** Instead of `expectStatus`, where there is no check of the site's own: the health check's. */
  readonly matcher?: string;
};
export type CommandCheck = z.infer<typeof commandCheck>;
export type DocumentCheck = z.infer<typeof documentCheck>;
export type SmokeCheck = z.infer<typeof smokeCheck>;
export type SessionsConfig = z.infer<typeof sessionsSchema>;

/** An HTTP check with everything at its default. */
export function httpCheckOf(check: z.input<typeof httpCheck>): HttpCheck {
  return httpCheck.parse(check);
}

/** The headers as text. The driver reads the configuration decrypted. */
export function headersOf({ headers }: Pick<HttpCheck, "headers">): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      if (typeof value !== "string") throw new Error(`The secret header ${name} was not decrypted.`);
      return [name, value];
    }),
  );
}

function namesServer(dimension: string): boolean {
  return /\$instanceId\b/.test(dimension);
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text, "u");
    return true;
  } catch {
    return false;
  }
}
