import { createRequire } from "node:module";

/** Pulumi's messages hold those of its own copy of google-protobuf; another version's break them. */
const require = createRequire(import.meta.resolve("@pulumi/pulumi/proto/provider_pb.js"));

export const anys: typeof import("google-protobuf/google/protobuf/any_pb.js") = require("google-protobuf/google/protobuf/any_pb.js");
export const empties: typeof import("google-protobuf/google/protobuf/empty_pb.js") = require("google-protobuf/google/protobuf/empty_pb.js");
export const structs: typeof import("google-protobuf/google/protobuf/struct_pb.js") = require("google-protobuf/google/protobuf/struct_pb.js");
