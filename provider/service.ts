import { createRequire } from "node:module";
import grpc from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import rpc from "@pulumi/pulumi/proto/provider_pb.js";
import statuses from "@pulumi/pulumi/proto/status_pb.js";
import type { CheckFailure } from "./check.ts";
import { cloudOptions, configDifferences } from "./configuration.ts";
import { type Difference, topLevel } from "./diff.ts";
import { describeError, NotReadyError } from "./errors.ts";
import { anys, empties } from "./protobuf.ts";
import type { Provider } from "./provider.ts";
import { fromStruct, toStruct } from "./values.ts";

/** The version of `@pulumi/aws` that the types of the inputs and outputs come from. */
export const { version } = createRequire(import.meta.url)("@pulumi/aws/package.json") as { version: string };

/** Pulumi's provider protocol: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto */
export function service(provider: Provider): grpc.UntypedServiceImplementation {
  // The engine cancels what runs; a provider that stays up serves the next engine.
  let cancellation = new AbortController();
  const request = (message: { getUrn(): string; getTimeout?(): number }) => {
    const seconds = message.getTimeout?.() ?? 0;
    return {
      urn: message.getUrn(),
      signal: cancellation.signal,
      ...(seconds > 0 && { timeoutSeconds: seconds }),
    };
  };

  return {
    handshake: unary(async () => {
      const response = new rpc.ProviderHandshakeResponse();
      return response.setAcceptSecrets(false).setAcceptResources(false).setAcceptOutputs(false);
    }),
    attach: unary(async () => new empties.Empty()),
    getPluginInfo: unary(async () => new plugin.PluginInfo().setVersion(version)),
    getSchema: unary(async () => new rpc.GetSchemaResponse().setSchema("{}")),
    cancel: unary(async () => {
      cancellation.abort(new Error("cancelled by the engine"));
      cancellation = new AbortController();
      return new empties.Empty();
    }),

    checkConfig: unary(async (message: rpc.CheckRequest) => {
      const failures: CheckFailure[] = [];
      cloudOptions(fromStruct(message.getNews()), failures);
      return new rpc.CheckResponse().setInputs(message.getNews()).setFailuresList(failures.map(checkFailure));
    }),
    diffConfig: unary(async (message: rpc.DiffRequest) => {
      return diffResponse(configDifferences(fromStruct(message.getOldInputs()), fromStruct(message.getNews())));
    }),
    configure: unary(async (message: rpc.ConfigureRequest) => {
      await provider.configure(cloudOptions(fromStruct(message.getArgs()), []));
      const response = new rpc.ConfigureResponse().setSupportspreview(true);
      return response.setAcceptsecrets(false).setAcceptresources(false).setAcceptoutputs(false);
    }),

    check: unary(async (message: rpc.CheckRequest) => {
      const seed = message.getRandomseed_asU8();
      const olds = fromStruct(message.getOlds());
      const { inputs, failures } = provider.check(request(message), olds, fromStruct(message.getNews()), seed);
      return new rpc.CheckResponse().setInputs(toStruct(inputs)).setFailuresList(failures.map(checkFailure));
    }),
    diff: unary(async (message: rpc.DiffRequest) => {
      const { differences, deleteBeforeReplace } = provider.diff(
        request(message),
        message.getId(),
        fromStruct(message.getOldInputs()),
        fromStruct(message.getOlds()),
        fromStruct(message.getNews()),
        message.getIgnorechangesList(),
      );
      return diffResponse(differences).setDeletebeforereplace(deleteBeforeReplace);
    }),
    create: unary(async (message: rpc.CreateRequest) => {
      const inputs = fromStruct(message.getProperties());
      const { id, state } = await provider.create(request(message), inputs, message.getPreview());
      return new rpc.CreateResponse().setId(id).setProperties(toStruct(state));
    }),
    read: unary(async (message: rpc.ReadRequest) => {
      const inputs = fromStruct(message.getInputs());
      const found = await provider.read(request(message), message.getId(), inputs, fromStruct(message.getProperties()));
      const response = new rpc.ReadResponse();
      if (found === undefined) return response;
      return response.setId(found.id).setInputs(toStruct(found.inputs)).setProperties(toStruct(found.state));
    }),
    update: unary(async (message: rpc.UpdateRequest) => {
      const olds = { inputs: fromStruct(message.getOldInputs()), state: fromStruct(message.getOlds()) };
      const news = fromStruct(message.getNews());
      const state = await provider.update(request(message), message.getId(), olds, news, message.getPreview());
      return new rpc.UpdateResponse().setProperties(toStruct(state));
    }),
    delete: unary(async (message: rpc.DeleteRequest) => {
      await provider.delete(request(message), message.getId(), fromStruct(message.getProperties()));
      return new empties.Empty();
    }),
    invoke: unary(async (message: rpc.InvokeRequest) => {
      const result = await provider.invoke(message.getTok(), fromStruct(message.getArgs()));
      const response = new rpc.InvokeResponse();
      if (Array.isArray(result)) return response.setFailuresList(result.map(checkFailure));
      return response.setReturn(toStruct(result));
    }),
  };
}

function diffResponse(differences: readonly Difference[]): rpc.DiffResponse {
  const { DiffChanges } = rpc.DiffResponse;
  const response = new rpc.DiffResponse()
    .setChanges(differences.length > 0 ? DiffChanges.DIFF_SOME : DiffChanges.DIFF_NONE)
    .setHasdetaileddiff(true)
    .setDiffsList([...new Set(differences.map(({ path }) => topLevel(path)))])
    .setReplacesList([...new Set(differences.filter(({ replace }) => replace).map(({ path }) => topLevel(path)))]);
  const { Kind } = rpc.PropertyDiff;
  const kinds = {
    add: [Kind.ADD, Kind.ADD_REPLACE],
    delete: [Kind.DELETE, Kind.DELETE_REPLACE],
    update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
  } as const;
  for (const { path, kind, replace } of differences) {
    const detail = new rpc.PropertyDiff().setKind(kinds[kind][replace ? 1 : 0]).setInputdiff(true);
    response.getDetaileddiffMap().set(path, detail);
  }
  return response;
}

function checkFailure({ property, reason }: CheckFailure): rpc.CheckFailure {
  return new rpc.CheckFailure().setProperty(property).setReason(reason);
}

/** A handler whose errors become errors of the call. */
function unary<Request, Response>(handle: (request: Request) => Promise<Response>) {
  return (call: { request: Request }, callback: grpc.sendUnaryData<Response>) => {
    handle(call.request).then(
      (response) => callback(null, response),
      (error: unknown) => callback(errorStatus(error)),
    );
  };
}

function errorStatus(error: unknown): Partial<grpc.StatusObject> {
  const message = describeError(error);
  const metadata = new grpc.Metadata();
  if (error instanceof NotReadyError) {
    const failed = new rpc.ErrorResourceInitFailed().setId(error.id).setReasonsList([message]);
    failed.setProperties(toStruct(error.state)).setInputs(toStruct(error.inputs));
    const details = new anys.Any();
    details.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const status = new statuses.Status().setCode(grpc.status.UNKNOWN).setMessage(message).addDetails(details);
    metadata.add("grpc-status-details-bin", Buffer.from((status as unknown as rpc.CheckFailure).serializeBinary()));
  }
  return { code: grpc.status.UNKNOWN, details: message, metadata };
}
