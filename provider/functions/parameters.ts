import { type Parameter, paginateGetParametersByPath } from "@aws-sdk/client-ssm";
import type * as aws from "@pulumi/aws";
import { boolean, string } from "../fields.ts";
import { providerFunction } from "./function.ts";

export const getParametersByPath = providerFunction<aws.ssm.GetParametersByPathArgs, aws.ssm.GetParametersByPathResult>(
  {
    fields: { path: string({ required: true }), recursive: boolean(), withDecryption: boolean() },

    async invoke({ path, recursive = false, withDecryption = true }, cloud) {
      const found: Parameter[] = [];
      const input = { Path: path, Recursive: recursive, WithDecryption: withDecryption };
      for await (const { Parameters = [] } of paginateGetParametersByPath({ client: cloud.parameters }, input))
        found.push(...Parameters);
      return {
        arns: found.map(({ ARN = "" }) => ARN),
        id: path,
        names: found.map(({ Name = "" }) => Name),
        types: found.map(({ Type = "String" }) => Type),
        values: found.map(({ Value = "" }) => Value),
      };
    },
  },
);
