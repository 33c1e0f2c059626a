/** What each room of the driver may import, besides itself and the two files at the root of `automation/`. */
const rooms = {
  processes: [],
  // Its messages are in the table of all of them.
  ledger: ["documents/situations", "processes"],
  cloud: [],
  engine: ["cloud/not-seen", "ledger", "processes"],
  // Gates read and never write: of the ledger they know its words, and not the client that deletes snapshots.
  gates: ["cloud/(?!prune)", "ledger/events", "processes", "runbook/rows"],
  runbook: ["cloud/(?!prune)", "engine", "gates", "ledger/events"],
  documents: ["gates", "ledger", "runbook"],
  quiet: ["cloud", "engine/plan", "gates", "ledger/events"],
  "site-commands": ["cloud", "documents", "gates", "ledger", "processes", "runbook"],
  run: ["cloud", "documents", "engine", "gates", "ledger", "processes", "quiet", "runbook", "site-commands"],
  plan: ["cloud/(?!prune)", "documents", "engine", "gates", "ledger", "quiet", "run", "runbook"],
  doctor: ["cloud/(?!prune)", "engine", "gates", "ledger", "quiet", "run"],
  adopt: ["cloud/(?!prune)", "engine"],
  init: ["ledger/canonical"],
  cli: [".*"],
};

/** Every file of the driver is in a room of the table, and imports what its room may. */
const mayImport = Object.entries(rooms).map(([room, others]) => ({
  name: `${room}-imports-its-own`,
  comment: `automation/${room}/ imports what .dependency-cruiser.mjs lists for it.`,
  from: { path: `^automation/${room}/` },
  to: { path: "^automation/.*/", pathNot: [room, ...others].map((other) => `^automation/${other}`) },
}));

const sandboxCommands = "^automation/cli/commands/(sandbox|rehearse)[.]ts$";

const forbidden = [
  {
    name: "no-circles",
    comment: "Move what both need, often a type, to a file below them.",
    from: { path: "^(index[.]ts|automation/|stacks/|provider/|sandbox/)" },
    to: { circular: true },
  },
  {
    name: "kernel-knows-no-pulumi",
    comment: "The runbook and its intents are plain data and pure functions.",
    from: { path: "^stacks/(intent|runbook)[.]ts$" },
    to: { path: "node_modules/@pulumi/", reachable: true },
  },
  {
    name: "only-engine-drives-pulumi",
    comment: "automation/engine/ is the one importer of the Automation API.",
    from: { path: "^automation/", pathNot: "^automation/engine/" },
    to: { path: "node_modules/@pulumi/" },
  },
  {
    name: "only-the-driver-drives-pulumi",
    comment: "automation/engine/ is the one importer of the Automation API.",
    from: { pathNot: "^automation/" },
    to: { path: "node_modules/@pulumi/pulumi/automation/" },
  },
  {
    name: "program-and-driver-know-no-sandbox",
    comment: "They see an endpoint, credentials and a plugin, as on AWS.",
    from: { path: "^(index[.]ts|stacks/|automation/|provider/)", pathNot: sandboxCommands },
    to: { path: "^sandbox/" },
  },
  {
    name: "sandbox-is-loaded-when-it-is-run",
    comment: "`await import(…)` in the command's handler: no other command loads the sandbox.",
    from: { path: sandboxCommands },
    to: { path: "^sandbox/", dynamic: false, dependencyTypesNot: ["type-only"] },
  },
  {
    name: "program-knows-no-driver",
    comment: "What both need is in stacks/.",
    from: { path: "^(index[.]ts|stacks/)" },
    to: { path: "^(automation|provider)/" },
  },
  {
    name: "provider-is-on-its-own",
    comment: "It is a plugin beside program and driver; it shares the driver's way to AWS, and canonical JSON.",
    from: { path: "^provider/" },
    to: {
      path: "^(index[.]ts|stacks/|automation/)",
      pathNot: "^automation/(cloud/(access|plugin-settings|setting-values|retries)|ledger/canonical)[.]ts$",
    },
  },
  {
    name: "driver-starts-its-plugins",
    comment: "The provider is another process.",
    from: { path: "^automation/" },
    to: { path: "^provider/" },
  },
  {
    name: "gates-ask-through-cloud",
    comment: "A call to AWS is in automation/cloud/, where it is seen whether it changes anything.",
    from: { path: "^automation/(gates|runbook)/" },
    to: { path: "node_modules/@aws-sdk/", dependencyTypesNot: ["type-only"] },
  },
  {
    name: "every-file-has-a-room",
    comment: "List a new room in .dependency-cruiser.mjs, with what it may import.",
    from: { path: "^automation/.*/", pathNot: `^automation/(${Object.keys(rooms).join("|")})/` },
    to: {},
  },
  {
    name: "root-of-the-driver-is-a-leaf",
    comment: "Every room may import it.",
    from: { path: "^automation/[^/]+$" },
    to: { path: "^automation/.*/" },
  },
  ...mayImport,
  {
    name: "nothing-imports-tests",
    from: {},
    to: { path: "^test/" },
  },
];

export default {
  forbidden: forbidden.map((rule) => ({ severity: "error", ...rule })),
  options: {
    doNotFollow: { path: "node_modules/" },
    // Type imports count.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node"] },
  },
};
