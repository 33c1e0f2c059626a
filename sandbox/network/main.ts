import { parseArgs } from "node:util";
import { reportConnections } from "./connections-reports.ts";
import { serveControl } from "./control.ts";
import { followCloud } from "./follower.ts";
import { HealthReports } from "./health-reports.ts";
import { log } from "./log.ts";
import { BalancerMetrics } from "./metrics.ts";
import { Network } from "./network.ts";
import { serveOutside } from "./outside.ts";
import { seededRandom } from "./random.ts";
import { siteDatabase } from "./site-database.ts";

const usage =
  "node sandbox/network/main.ts --cloud http://127.64.0.1:4566 --host 127.64.0.2 --port 4567 [--outside-port 4568] --database postgresql://postgres@127.64.0.3:5432/postgres [--address-propagation-seconds 2] [--balancer-lag-seconds 0] [--balancer-late rules|targets|both] [--seed 1]";

const { values } = parseArgs({
  options: {
    cloud: { type: "string" },
    host: { type: "string" },
    port: { type: "string", default: "4567" },
    "outside-port": { type: "string", default: "4568" },
    database: { type: "string" },
    "address-propagation-seconds": { type: "string", default: "2" },
    "balancer-lag-seconds": { type: "string", default: "0" },
    "balancer-late": { type: "string", default: "both" },
    seed: { type: "string", default: "1" },
  },
});
const { cloud, host, database } = values;
const balancerLate = (["rules", "targets", "both"] as const).find((each) => each === values["balancer-late"]);
if (cloud === undefined || host === undefined || database === undefined || balancerLate === undefined)
  throw new Error(`usage: ${usage}`);

const stop = new AbortController();
const { signal } = stop;
const reports = new HealthReports(cloud, signal, log);
const metrics = new BalancerMetrics();
const outside = { host, port: Number(values["outside-port"]) };
const network = new Network({
  propagationMilliseconds: Number(values["address-propagation-seconds"]) * 1000,
  balancerLagMilliseconds: Number(values["balancer-lag-seconds"]) * 1000,
  balancerLate,
  random: seededRandom(Number(values.seed)),
  database: siteDatabase(database),
  outside,
  onHealth: (report) => reports.add(report),
  onAnswer: (node, targetGroupArn, answer) => metrics.add(node, targetGroupArn, answer),
  log,
});
const servers = [
  await serveControl(network, host, Number(values.port)),
  await serveOutside(outside.host, outside.port),
];

for (const name of ["SIGTERM", "SIGINT"] as const) {
  process.once(name, () => {
    stop.abort();
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    network.close();
  });
}

void metrics.publish(cloud, signal, log);
void reportConnections(cloud, () => network.quietConnections(), signal, log);

let ready = false;
await followCloud({
  cloudUrl: cloud,
  signal,
  log,
  onState: async (state) => {
    await network.apply(state);
    if (!ready) console.log("ready");
    ready = true;
  },
});
