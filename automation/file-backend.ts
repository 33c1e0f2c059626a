/**
 * The variables under which the engine keeps no attributes beside the files of a `file://` backend. It writes them in
 * place: who reads in that moment, or ever after a kill in that moment, is told that the stack's state is `EOF`. Nobody
 * needs them (https://pkg.go.dev/gocloud.dev/blob/fileblob#URLOpener, `metadata=skip`).
 */
export function withoutAttributes({ PULUMI_BACKEND_URL: url }: NodeJS.ProcessEnv): Record<string, string> {
  if (url?.startsWith("file://") !== true || url.includes("metadata=")) return {};
  return { PULUMI_BACKEND_URL: `${url}${url.includes("?") ? "&" : "?"}metadata=skip` };
}
