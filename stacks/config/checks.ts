import { z } from "zod";
import { command, inputValue, jsonPath, path, pattern, seconds } from "./primitives.ts";
import { cloudWatchSchema } from "./watch-schema.ts";

/** The schema of `handover:upgrade.smoke` and `handover:upgrade.sessions`. */

/** A check waits this long at most, in seconds; a command or a document takes as long as a suite does. */
const longestAnswerSeconds = 60;
const longestCommandSeconds = 3600;

/** One HTTP question, asked of each new server, through the test host name, and through every Elastic IP after its move. */
export const httpCheck = z.strictObject({
  path,
  method: z.enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]).default("GET").describe("HTTP method."),
  headers: z
    .record(
      z.string().regex(/^[A-Za-z0-9-]+$/, "must be the name of a header"),
      inputValue.refine(
        (value) => typeof value !== "string" || /^[\t\x20-\x7e\x80-\xff]*$/.test(value),
        "must be a header's value: one line, without characters beyond Latin-1",
      ),
    )
    .default({})
    .describe("Headers to send besides `host`. Values may be Pulumi secrets."),
  expectStatus: z
    .number()
    .int()
    .min(100)
    .max(599)
    .default(200)
    .describe("Status that the answer must have. Redirects are not followed."),
  expectBody: pattern
    .optional()
    .describe("Regular expression that the first 64 KB of the body must match. Default: any body."),
  expectJson: z
    .strictObject({ path: jsonPath, equals: z.json() })
    .optional()
    .describe("Value that the JSON body must have at `path`. Default: any body."),
  timeoutSeconds: z
    .number()
    .int()
    .min(1)
    .max(longestAnswerSeconds)
    .default(5)
    .describe("Time limit for connecting, waiting and reading together."),
  passes: z.number().int().min(1).max(20).default(1).describe("Number of expected answers in a row."),
  tls: z
    .strictObject({
      verify: z.boolean().default(true).describe("Whether the certificate must be valid and match the server's name."),
      serverName: z
        .string()
        .min(1)
        .optional()
        .describe("Name that the certificate must match. Default: the requested host name."),
    })
    .prefault({})
    .describe("TLS settings, for a listener that speaks HTTPS."),
});

/** The user's own suite, run in the project's folder: exit code 0 passes. */
const commandCheck = z.strictObject({
  command,
  timeoutSeconds: z
    .number()
    .int()
    .min(1)
    .max(longestCommandSeconds)
    .default(300)
    .describe("How long the command may run."),
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
      .describe(
        "Parameters of the document. Anyone who may list commands in AWS can read them, so put no secrets here.",
      ),
  }),
  timeoutSeconds: z
    .number()
    .int()
    .min(1)
    .max(longestCommandSeconds)
    .default(60)
    .describe("How long the document may run on a server."),
});

export const smokeCheck = z.union([httpCheck, commandCheck, documentCheck]);

export const sessionsSchema = z
  .strictObject({
    path: path
      .optional()
      .describe("Status page of each old server, requested on its private address and the site's port."),
    field: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Name of a line `Field: number` in Apache's status page. https://httpd.apache.org/docs/2.4/mod/mod_status.html",
      ),
    json: jsonPath.optional().describe("Where the number is in a JSON page, for example sessions.active."),
    cloudWatch: cloudWatchSchema
      .refine(
        ({ metrics }) => Object.values(metrics).every(({ dimensions }) => Object.values(dimensions).some(namesServer)),
        "must be of one server: give each metric a dimension like InstanceId: $instanceId",
      )
      .optional()
      .describe("CloudWatch metric of each server, instead of a page. `$instanceId` is replaced with the server's id."),
    atMost: z
      .number()
      .min(0)
      .default(0)
      .describe(
        "A server with at most this many sessions is quiet. Apache's BusyWorkers includes the request that asks.",
      ),
    quietSeconds: seconds.default(10).describe("How long a server must stay quiet before it is terminated."),
    limitSeconds: seconds.default(3600).describe("How long to wait for a server to become quiet."),
    onLimit: z
      .enum(["pause", "terminate"])
      .default("pause")
      .describe(
        "What to do after `limitSeconds`: `pause` waits for a person, `terminate` ends the server and its sessions.",
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
  /** The answer must say which generation gave it. Default: false. */
  readonly identifies?: boolean;
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
