import { type Config, parseConfig } from "../../stacks/config.ts";
import { type SiteShape, shapeOf } from "../../stacks/intent.ts";

/** A checked configuration with the generations `blue` (live) and `green`, for tests as data. */
export function configOf({ elasticIps = 2, frontends = 2, live = "blue", green = {}, upgrade = {} } = {}): {
  config: Config;
  shape: SiteShape;
} {
  const values = {
    site: {
      hostname: "www.example.com",
      testHostname: "test.example.com",
      port: 8080,
      network: { cidrBlock: "10.20.0.0/16" },
      loadBalancer: { port: 80, healthCheck: { path: "/health" } },
      elasticIps,
      database: { volumeId: "vol-0a1b2c3d4e5f60001" },
    },
    generations: {
      blue: { imageId: "ami-0a1b2c3d4e5f60001", instanceType: "t3.small", frontends, inputs: { APP_REVISION: "41" } },
      green: { extends: "blue", instanceType: "t3.medium", inputs: { APP_REVISION: "42" }, ...green },
    },
    live,
    upgrade: { shiftPercent: [10, 50], ...upgrade },
  };
  const config = parseConfig(values, import.meta.dirname);
  return { config, shape: shapeOf(config) };
}
