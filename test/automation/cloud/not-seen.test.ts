import assert from "node:assert/strict";
import { isUnreachable, notSeenIn, notSeenInText } from "../../../automation/cloud/not-seen.ts";
import { HandoverError } from "../../../automation/errors.ts";
import { LedgerUnavailableError } from "../../../automation/ledger/errors.ts";

const named = (name: string, more: object = {}) => Object.assign(new Error("said AWS"), { name, ...more });
const coded = (code: string) => Object.assign(new Error("said Node"), { code });

describe("what is not seen", () => {
  const errors: readonly [string | undefined, readonly Error[]][] = [
    [
      "credentials",
      [
        ...["ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "AuthFailure"].map((n) =>
          named(n),
        ),
        ...["UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException"].map((n) => named(n)),
        ...[
          "CredentialsProviderError",
          "TokenProviderError",
          "IncompleteSignature",
          "RequestTimeTooSkewed",
          "InvalidGrantException",
        ].map((n) => named(n)),
      ],
    ],
    [
      "denied",
      [
        ...["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"].map((name) =>
          Object.assign(
            new Error(
              "User: arn:aws:sts::1:assumed-role/ci is not authorized to perform: elasticloadbalancing:ModifyListener with an explicit deny in a service control policy",
            ),
            { name },
          ),
        ),
        named("AccessDenied", { $metadata: { httpStatusCode: 403 } }),
        named("UnauthorizedOperation", { $metadata: { httpStatusCode: 403 } }),
        Object.assign(new Error("not authorized to perform: x because no service control policy allows the x action"), {
          name: "AccessDenied",
        }),
      ],
    ],
    [
      "throttled",
      [
        ...["Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded", "SlowDown"].map((n) =>
          named(n),
        ),
        ...["TooManyRequestsException", "ProvisionedThroughputExceededException", "RequestThrottled"].map((n) =>
          named(n),
        ),
      ],
    ],
    [
      "unreachable",
      [
        ...["EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET"].map(
          coded,
        ),
        ...["EPIPE", "EAI_FAIL", "EADDRNOTAVAIL", "ERR_STREAM_PREMATURE_CLOSE", "UND_ERR_HEADERS_TIMEOUT"].map(coded),
        named("RequestTimeout"),
        coded("ERR_PROXY_TUNNEL"),
        named("TimeoutError"),
        // A proxy's page in place of AWS's answer.
        named("SyntaxError", { $metadata: { httpStatusCode: 403 } }),
        named("UnknownError", { $metadata: { httpStatusCode: 407 } }),
        new AggregateError([coded("ENETUNREACH"), coded("ETIMEDOUT")]),
        new HandoverError("any", 4, "caused", { cause: coded("ETIMEDOUT") }),
        new LedgerUnavailableError("Reading", "handover-www", { cause: coded("EHOSTUNREACH") }),
      ],
    ],
    ["unavailable", [named("ServiceUnavailable"), named("InternalFailure"), named("InternalError")]],
    [
      undefined,
      [
        named("InsufficientInstanceCapacity", { $metadata: { httpStatusCode: 500 } }),
        named("InvalidAMIID.NotFound", { $metadata: { httpStatusCode: 400 } }),
        named("VcpuLimitExceeded", { $metadata: { httpStatusCode: 400 } }),
        new Error("Throttling is what this page is about"),
      ],
    ],
  ];
  for (const [kind, each] of errors)
    for (const error of each)
      it(`is ${kind ?? "nothing of that"}: ${error.name} ${"code" in error ? error.code : ""}`, () =>
        assert.equal(notSeenIn(error), kind));

  const texts: readonly [string | undefined, string][] = [
    [
      "credentials",
      "creating EC2 Instance: operation error EC2: RunInstances, https response error StatusCode: 400, RequestID: 1, api error RequestExpired: Request has expired.",
    ],
    ["credentials", "unable to validate AWS credentials. Details: No valid credential sources found."],
    ["credentials", "The security token included in the request is expired"],
    [
      "credentials",
      "The SSO session associated with this profile has expired or is otherwise invalid. To refresh this SSO session run aws sso login",
    ],
    ["credentials", "open keeper awskms://alias/site?awssdk=v2: failed to get shared config profile, production"],
    ["credentials", "failed to refresh cached SSO token, unable to refresh SSO token, InvalidGrantException"],
    ["credentials", "IAM Role (arn:aws:iam::1:role/deploy) cannot be assumed. There are a number of possible causes"],
    [
      "denied",
      "modifying ELBv2 Listener: operation error Elastic Load Balancing v2: ModifyListener, https response error StatusCode: 403, api error AccessDenied: User: arn:aws:sts::1:assumed-role/ci is not authorized to perform: elasticloadbalancing:ModifyListener with an explicit deny in a service control policy",
    ],
    ["unreachable", "Post https://ec2.us-east-1.amazonaws.com: x509: certificate signed by unknown authority"],
    ["unreachable", "Post https://ec2.us-east-1.amazonaws.com: write tcp 10.0.0.7:1->10.0.0.8:443: write: broken pipe"],
    ["unreachable", "dial tcp: lookup ec2.us-east-1.amazonaws.com on 10.0.0.2:53: server misbehaving"],
    ["unreachable", "net/http: request canceled while waiting (Client.Timeout exceeded while awaiting headers)"],
    ["credentials", "get credentials: failed to refresh cached credentials, no EC2 IMDS role found"],
    [
      "throttled",
      "operation error EC2: DescribeInstances, failed to get rate limit token, retry quota exceeded, 0 available, 5 requested",
    ],
    ["throttled", "creating load balancer: ThrottlingException: Rate exceeded"],
    [
      "unreachable",
      "operation error EC2: RunInstances, exceeded maximum number of attempts, 25, https response error StatusCode: 0, RequestID: , request send failed, Post: dial tcp: lookup ec2.us-east-1.amazonaws.com: no such host",
    ],
    ["unreachable", "Post https://ec2.us-east-1.amazonaws.com: read tcp 10.0.0.7:44714: connection reset by peer"],
    ["unavailable", "operation error EC2: RunInstances, api error Unavailable: The server is overloaded"],
    [undefined, "creating EC2 Instance: InsufficientInstanceCapacity: no capacity"],
    ["denied", "creating EC2 Instance: UnauthorizedOperation: You are not authorized"],
    [undefined, "waiting for EC2 Instance (i-1) create: unexpected state 'terminated', wanted target 'running'"],
  ];
  for (const [kind, text] of texts)
    it(`is ${kind ?? "nothing of that"} in the engine's words: ${text}`, () => assert.equal(notSeenInText(text), kind));

  it("takes a server that refuses the connection for one that was asked, and one without a route for one that was not", () => {
    assert.equal(isUnreachable(coded("ECONNREFUSED")), false);
    assert.equal(isUnreachable(coded("ECONNRESET")), false);
    for (const code of ["EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT", "ENOTFOUND"])
      assert.ok(isUnreachable(coded(code)), code);
  });
});
