import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { createApiClient } from "../../cli/src/api-client.ts";
import { startProduct } from "../../tests/support/product.ts";
import { startPrometheus } from "../../tests/support/prometheus.ts";
import { waitUntil } from "../../tests/support/wait-until.ts";
import type { Target } from "./answer.ts";

const EXPORTED = `# HELP exported_total Things.
# TYPE exported_total counter
exported_total 5
# HELP exported_seconds How long.
# TYPE exported_seconds histogram
exported_seconds_bucket{le="1"} 1
exported_seconds_bucket{le="+Inf"} 2
exported_seconds_sum 3
exported_seconds_count 2
`;
const FEATURES = "exemplar-storage,native-histograms";
/** The last of the rules has been evaluated, over what was scraped. */
const IS_READY = "api/v1/query?query=rule:last%20%2B%20on()%20exported_total";

type Stops = (() => Promise<unknown>)[];

/** Starts both with a target and rules, and adds how they are stopped. */
export async function startBoth(folder: string, stops: Stops): Promise<{ reference: Target; own: Target }> {
  const scraped = scrapeConfigs(await startExporter(stops));
  const files = { rules: join(folder, "rules.yml"), scrape: join(folder, "scrape.yml") };
  // JSON is YAML.
  await writeFile(files.rules, JSON.stringify({ groups: ruleGroups() }));
  await writeFile(files.scrape, JSON.stringify({ scrape_configs: scraped }));

  const prometheus = await startPrometheus(join(folder, "prometheus"), {
    more: ["--web.enable-admin-api", `--enable-feature=${FEATURES}`],
    config: { global: {}, rule_files: [files.rules], scrape_configs: scraped },
  });
  stops.push(prometheus.stop);
  const product = await startProduct({
    env: {
      MAINSTAY_METRICS_SCRAPE_FILE: files.scrape,
      MAINSTAY_METRICS_RULES_FILES: JSON.stringify([files.rules]),
    },
  });
  stops.push(product.stop);

  const api = createApiClient({ url: product.url, token: product.access().MAINSTAY_TOKEN });
  const permissions = ["metrics.read", "metrics.write", "metrics.admin"];
  const wish = { name: "prometheus-api", permissions, stepUpExempt: true };
  const { secret } = await api.post<{ secret: string }>("/keys", wish);
  const reference = { url: prometheus.url, headers: {} };
  const own = { url: `${product.url}/prometheus`, headers: { authorization: `Bearer ${secret}` } };
  for (const target of [reference, own]) await waitUntil("rules over what is scraped", () => isReady(target));
  return { reference, own };
}

async function isReady({ url, headers }: Target): Promise<boolean> {
  return (await (await fetch(`${url}/${IS_READY}`, { headers })).text()).includes('"value"');
}

/** Answers its port. */
async function startExporter(stops: Stops): Promise<number> {
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "text/plain; version=0.0.4");
    response.end(EXPORTED);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  stops.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the exporter does not listen");
  return address.port;
}

/** One target that is scraped, and one that relabelling leaves out. */
function scrapeConfigs(port: number) {
  return [
    {
      ...{ job_name: "exporter", scrape_interval: "1s", scrape_timeout: "1s" },
      static_configs: [{ targets: [`127.0.0.1:${port}`, "dropped:1"] }],
      relabel_configs: [{ source_labels: ["__address__"], regex: "dropped.*", action: "drop" }],
    },
  ];
}

function ruleGroups() {
  const labels = { team: "web" };
  const about = { labels: { severity: "low" }, annotations: { summary: "cold" } };
  const recording = { record: "rule:sum", expr: "sum(up)", labels };
  const alerting = { alert: "Cold", expr: "temperature < -100", for: "1m", ...about };
  return [
    { name: "shop", interval: "1s", rules: [recording, alerting] },
    { name: "last", interval: "1s", rules: [{ record: "rule:last", expr: "1" }] },
  ];
}
