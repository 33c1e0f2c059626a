import {
  CreateRuleCommand,
  DeleteRuleCommand,
  DescribeRulesCommand,
  ModifyRuleCommand,
  type RuleCondition,
  SetRulePrioritiesCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { codeOf, unless } from "../errors.ts";
import { map, number, object, set, string } from "../fields.ts";
import { type InputsOf, resource } from "../resource.ts";
import { sameTags } from "../tags.ts";
import { actionRequests, actions, describeActions } from "./actions.ts";
import { balancingTags, describeTags, updateBalancingTags } from "./balancing.ts";

type Inputs = InputsOf<aws.lb.ListenerRuleArgs>;
const notFound = ["RuleNotFound", "RuleNotFoundException", "ListenerNotFound", "ListenerNotFoundException"];
const values = () => object({ values: set(string(), { required: true }) });

export const listenerRule = resource<aws.lb.ListenerRule, aws.lb.ListenerRuleArgs>({
  token: "aws:lb/listenerRule:ListenerRule",
  fields: {
    actions,
    conditions: set(
      object<aws.types.input.lb.ListenerRuleCondition>({
        hostHeader: values(),
        httpHeader: object({ httpHeaderName: string({ required: true }), values: set(string(), { required: true }) }),
        httpRequestMethod: values(),
        pathPattern: values(),
        queryStrings: set(object({ key: string(), value: string({ required: true }) })),
        sourceIp: values(),
      }),
      { required: true },
    ),
    listenerArn: string({ required: true, replace: true }),
    priority: number({ computed: true }),
    tags: map(),
  },
  computed: { arn: true },

  async create(inputs, { cloud, created, isHeld }) {
    const { listenerArn, priority = (await highestPriority(cloud, listenerArn)) + 1 } = inputs;
    try {
      const command = new CreateRuleCommand({
        ListenerArn: listenerArn,
        Priority: priority,
        Actions: actionRequests(inputs.actions),
        Conditions: conditionRequests(inputs.conditions),
        Tags: balancingTags(inputs.tags),
      });
      const arn = (await cloud.loadBalancing.send(command)).Rules?.[0]?.RuleArn ?? "";
      created(arn);
      return arn;
    } catch (error) {
      if (!["PriorityInUse", "PriorityInUseException"].includes(codeOf(error) ?? "") || isHeld) throw error;
      const left = (await rulesOf(cloud, listenerArn)).find((rule) => rule.Priority === String(priority))?.RuleArn;
      // One with the same tags that the state does not hold was left behind by a crash.
      if (left === undefined || !sameTags(await describeTags(cloud, left), inputs.tags)) throw error;
      created(left);
      await modify(cloud, left, inputs);
      return left;
    }
  },

  async read({ id, cloud, state }) {
    const call = cloud.loadBalancing.send(new DescribeRulesCommand({ RuleArns: [id] }));
    const found = (await unless(notFound, call))?.Rules?.[0];
    if (found === undefined) return undefined;
    return {
      actions: describeActions(found.Actions, state.actions as aws.types.output.lb.ListenerDefaultAction[] | undefined),
      arn: id,
      conditions: (found.Conditions ?? []).map(describeCondition),
      listenerArn: id.replace(":listener-rule/", ":listener/").split("/").slice(0, -1).join("/"),
      priority: Number(found.Priority),
      tags: await describeTags(cloud, id),
    };
  },

  async update({ cloud, id, olds, news, changed }) {
    if (changed("priority")) {
      const RulePriorities = [{ RuleArn: id, Priority: news.priority }];
      await cloud.loadBalancing.send(new SetRulePrioritiesCommand({ RulePriorities }));
    }
    if (changed("actions", "conditions")) await modify(cloud, id, news);
    await updateBalancingTags(cloud, id, olds.tags, news.tags);
  },

  async delete({ id, cloud }) {
    await unless(notFound, cloud.loadBalancing.send(new DeleteRuleCommand({ RuleArn: id })));
  },
});

async function modify(cloud: Cloud, RuleArn: string, { actions: wanted, conditions }: Inputs): Promise<void> {
  const Conditions = conditionRequests(conditions);
  await cloud.loadBalancing.send(new ModifyRuleCommand({ RuleArn, Actions: actionRequests(wanted), Conditions }));
}

async function rulesOf(cloud: Cloud, ListenerArn: string) {
  return (await cloud.loadBalancing.send(new DescribeRulesCommand({ ListenerArn }))).Rules ?? [];
}

async function highestPriority(cloud: Cloud, listenerArn: string): Promise<number> {
  const rules = await rulesOf(cloud, listenerArn);
  return Math.max(0, ...rules.map(({ Priority }) => Number(Priority)).filter(Number.isFinite));
}

function conditionRequests(conditions: Inputs["conditions"]): RuleCondition[] {
  return conditions.map((condition) => {
    const { hostHeader, httpHeader, httpRequestMethod, pathPattern, queryStrings, sourceIp } = condition;
    if (hostHeader) return { Field: "host-header", HostHeaderConfig: { Values: hostHeader.values } };
    if (pathPattern) return { Field: "path-pattern", PathPatternConfig: { Values: pathPattern.values } };
    if (httpHeader) {
      const { httpHeaderName: HttpHeaderName, values: Values } = httpHeader;
      return { Field: "http-header", HttpHeaderConfig: { HttpHeaderName, Values } };
    }
    if (httpRequestMethod) {
      return { Field: "http-request-method", HttpRequestMethodConfig: { Values: httpRequestMethod.values } };
    }
    if (sourceIp) return { Field: "source-ip", SourceIpConfig: { Values: sourceIp.values } };
    const Values = (queryStrings ?? []).map(({ key, value }) => ({ Key: key, Value: value }));
    return { Field: "query-string", QueryStringConfig: { Values } };
  });
}

function describeCondition(condition: RuleCondition): aws.types.output.lb.ListenerRuleCondition {
  const valuesOf = (config: { Values?: string[] } | undefined) => ({
    values: config?.Values ?? condition.Values ?? [],
  });
  switch (condition.Field) {
    case "host-header":
      return { hostHeader: valuesOf(condition.HostHeaderConfig) };
    case "path-pattern":
      return { pathPattern: valuesOf(condition.PathPatternConfig) };
    case "http-header": {
      const { HttpHeaderName: httpHeaderName = "", Values = [] } = condition.HttpHeaderConfig ?? {};
      return { httpHeader: { httpHeaderName, values: Values } };
    }
    case "http-request-method":
      return { httpRequestMethod: valuesOf(condition.HttpRequestMethodConfig) };
    case "source-ip":
      return { sourceIp: valuesOf(condition.SourceIpConfig) };
    default: {
      const pairs = condition.QueryStringConfig?.Values ?? [];
      return { queryStrings: pairs.map(({ Key, Value = "" }) => ({ key: Key, value: Value })) };
    }
  }
}
