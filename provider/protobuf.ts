/** One place for the well-known messages: the version must be the one that Pulumi's own messages hold (package.json). */
export { default as anys } from "google-protobuf/google/protobuf/any_pb.js";
export { default as empties } from "google-protobuf/google/protobuf/empty_pb.js";
export { default as structs } from "google-protobuf/google/protobuf/struct_pb.js";
