import { registerHooks } from "node:module";

// Pulumi's SDK loads the TypeScript compiler and npm's resolver of dependencies at once. It needs them to write functions
// down as text, for dynamic providers, of which a site has none. They cost every command 44 MB and a third of the time
// that it takes to start, so each is loaded when something of it is first used.
const late = /\/node_modules\/(typescript\/lib\/typescript|@npmcli\/arborist\/lib\/index)\.js$/;
const standIn = `
  let real;
  module.exports = new Proxy({}, {
    get(_, key) {
      if (key === "__esModule") return true;
      if (real === undefined) {
        delete require.cache[__filename];
        real = require(__filename);
      }
      return real[key];
    },
  });
`;
const asked = new Set<string>();

registerHooks({
  load(url, context, nextLoad) {
    if (!late.test(url) || asked.has(url)) return nextLoad(url, context);
    asked.add(url);
    return { format: "commonjs", shortCircuit: true, source: standIn };
  },
});
