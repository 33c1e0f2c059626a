import { GetParametersByPathCommand, type Parameter } from "@aws-sdk/client-ssm";
import type * as aws from "@pulumi/aws";
import { boolean, string } from "../fields.ts";
import { providerFunction } from "./function.ts";

export const getParametersByPath = providerFunction<aws.ssm.GetParametersByPathArgs, aws.ssm.GetParametersByPathResult>(
  {
    fields: { path: string({ required: true }), recursive: boolean(), withDecryption: boolean() },

    async invoke({ path, recursive = false, withDecryption = true }, cloud) {
      const found: Parameter[] = [];
      let NextToken: string | undefined;
      do {
        const command = new GetParametersByPathCommand({
          Path: path,
          Recursive: recursive,
          WithDecryption: withDecryption,
          NextToken,
        });
        const page = await cloud.parameters.send(command);
        found.push(...(page.Parameters ?? []));
        NextToken = page.NextToken;
      } while (NextToken !== undefined);
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
