import type { Action } from "@aws-sdk/client-elastic-load-balancing-v2";
import type * as aws from "@pulumi/aws";
import { boolean, list, number, object, set, string } from "../fields.ts";
import type { InputsOf } from "../resource.ts";
import { isEmpty } from "../values.ts";

type Described = aws.types.output.lb.ListenerDefaultAction;
export type ActionInput = NonNullable<InputsOf<aws.lb.ListenerArgs>["defaultActions"]>[number];

const computed = { computed: true };

/** The actions of a listener or a rule on a request. */
export const actions = list(
  object<aws.types.input.lb.ListenerDefaultAction>({
    fixedResponse: object<aws.types.input.lb.ListenerDefaultActionFixedResponse>({
      contentType: string({ required: true }),
      messageBody: string(),
      statusCode: string(computed),
    }),
    // Where it is left out, the target group's ARN says the same.
    forward: object<aws.types.input.lb.ListenerDefaultActionForward>(
      {
        stickiness: object<aws.types.input.lb.ListenerDefaultActionForwardStickiness>({
          duration: number({ required: true }),
          enabled: boolean({ default: false }),
        }),
        targetGroups: set(
          object<aws.types.input.lb.ListenerDefaultActionForwardTargetGroup>({
            arn: string({ required: true }),
            weight: number({ default: 1 }),
          }),
          { required: true },
        ),
      },
      computed,
    ),
    order: number(computed),
    redirect: object<aws.types.input.lb.ListenerDefaultActionRedirect>({
      host: string({ default: "#{host}" }),
      path: string({ default: "/#{path}" }),
      port: string({ default: "#{port}" }),
      protocol: string({ default: "#{protocol}" }),
      query: string({ default: "#{query}" }),
      statusCode: string({ required: true }),
    }),
    targetGroupArn: string(),
    type: string({ required: true }),
  }),
  { required: true },
);

export function actionRequests(inputs: readonly ActionInput[]): Action[] {
  return inputs.map((action, index) => {
    const { forward, fixedResponse, redirect } = action;
    return {
      Order: action.order ?? index + 1,
      Type: action.type as Action["Type"],
      TargetGroupArn: action.targetGroupArn,
      ForwardConfig: forward && {
        TargetGroups: forward.targetGroups.map(({ arn, weight }) => ({ TargetGroupArn: arn, Weight: weight })),
        TargetGroupStickinessConfig: {
          Enabled: forward.stickiness?.enabled ?? false,
          ...(forward.stickiness !== undefined && { DurationSeconds: forward.stickiness.duration }),
        },
      },
      FixedResponseConfig: fixedResponse && {
        ContentType: fixedResponse.contentType,
        MessageBody: fixedResponse.messageBody,
        StatusCode: fixedResponse.statusCode,
      },
      RedirectConfig: redirect && {
        Host: redirect.host,
        Path: redirect.path,
        Port: redirect.port,
        Protocol: redirect.protocol,
        Query: redirect.query,
        StatusCode: redirect.statusCode as "HTTP_301",
      },
    };
  });
}

/**
 * AWS describes one target group both ways. So does the plugin what it imports; else it is as in `known`, which a program
 * writes in one of the ways or in both.
 */
export function describeActions(found: readonly Action[] = [], known: readonly Described[] = []): Described[] {
  return [...found]
    .sort((a, b) => (a.Order ?? 0) - (b.Order ?? 0))
    .map((action, index) => {
      const order = action.Order ?? index + 1;
      const type = action.Type ?? "";
      const { FixedResponseConfig: fixed, RedirectConfig: redirect } = action;
      if (fixed !== undefined) {
        const { ContentType: contentType = "", MessageBody: messageBody, StatusCode: statusCode = "" } = fixed;
        return { order, type, fixedResponse: { contentType, messageBody, statusCode } };
      }
      if (redirect !== undefined) {
        const { Host, Path, Port, Protocol, Query, StatusCode: statusCode = "" } = redirect;
        return {
          order,
          type,
          redirect: { host: Host, path: Path, port: Port, protocol: Protocol, query: Query, statusCode },
        };
      }
      return { order, type, ...describeForward(action, known[index]) };
    });
}

function describeForward(
  { TargetGroupArn, ForwardConfig }: Action,
  known: Described | undefined,
): Pick<Described, "forward" | "targetGroupArn"> {
  const groups = ForwardConfig?.TargetGroups ?? [{ TargetGroupArn }];
  const stickiness = ForwardConfig?.TargetGroupStickinessConfig;
  const isPlain = groups.length === 1 && stickiness?.Enabled !== true;
  const isImported = known === undefined;
  const wroteForward = isImported || !isEmpty(known.forward);
  const wroteGroup = isImported || !isEmpty(known.targetGroupArn) || !wroteForward;
  const plain = isPlain && wroteGroup ? { targetGroupArn: TargetGroupArn ?? groups[0]?.TargetGroupArn } : {};
  if (isPlain && !wroteForward) return plain;
  return {
    ...plain,
    forward: {
      targetGroups: groups.map(({ TargetGroupArn: arn = "", Weight: weight = 1 }) => ({ arn, weight })),
      ...((stickiness?.Enabled || known?.forward?.stickiness !== undefined) && {
        stickiness: {
          enabled: stickiness?.Enabled ?? false,
          duration: stickiness?.DurationSeconds ?? known?.forward?.stickiness?.duration ?? 0,
        },
      }),
    },
  };
}
