import { writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { copyHello, UNJUDGED_ROLLOUT } from "../support/hello.ts";
import { useProduct } from "../support/use-product.ts";
import { waitUntil } from "../support/wait-until.ts";

const product = useProduct({
  env: { MAINSTAY_METRICS_SCRAPE_INTERVAL: "1s", MAINSTAY_METRICS_SCRAPE_FILE: "scrape.yml" },
});

interface Answer {
  data: { result: { metric: Record<string, string>; value: [number, string] }[] };
}

/** The first series of an instant query, once there is one. */
function measured(query: string): Promise<Answer["data"]["result"][number]> {
  return waitUntil(query, async () => {
    const { url, access } = product();
    const answer = await fetch(
      `${url}/prometheus/api/v1/query?${new URLSearchParams({ query }).toString()}`,
      {
        headers: { authorization: `Bearer ${access().MAINSTAY_TOKEN}` },
      },
    );
    const { data } = (await answer.json()) as Answer;
    return data.result[0];
  });
}

it("measures the machine, PostgreSQL and itself from the start", async () => {
  for (const name of [
    "host_load1",
    "host_memory_available_bytes",
    "postgres_database_size_bytes",
    "server_heap_bytes",
  ]) {
    const { metric, value } = await measured(`mainstay_${name}`);
    expect(metric).toEqual({ __name__: `mainstay_${name}`, job: "mainstay" });
    expect(Number(value[1])).toBeGreaterThanOrEqual(0);
  }
  expect((await measured('up{job="mainstay"}')).value[1]).toBe("1");
});

it("measures what runs: its processes, its traffic, and what it tells itself", async () => {
  const on = product();
  const hello = await copyHello(on.directory);
  const web = { metrics: { path: "/metrics" } };
  await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: UNJUDGED_ROLLOUT, web });
  expect(await on.cli("deploy", hello.directory)).toMatchObject({ exitCode: 0 });
  await fetch(on.dataPlaneUrl);
  const labels = { environment: "production", service: "hello", arm: "stable" };
  const memory = await measured('mainstay_instance_memory_bytes{service="hello",arm="stable"}');
  expect(memory.metric).toMatchObject({
    ...labels,
    process: "web",
    instance: expect.stringMatching(/^ins_/),
  });
  const traffic = await measured('mainstay_proxy_requests_total{service="hello"}');
  expect(traffic.metric).toMatchObject({ environment: "production", method: "GET", code: "2xx" });
  const own = await measured('app_answers_total{arm="stable"} > 0');
  expect(own.metric).toMatchObject({ ...labels, job: "hello", instance: memory.metric["instance"] });
});

it("scrapes what a file names, from when it is there", async () => {
  const { directory, dataPlaneUrl } = product();
  const targets = [new URL(dataPlaneUrl).host];
  await writeFile(
    path.join(directory, "scrape.yml"),
    JSON.stringify({
      global: { scrape_interval: "1s", scrape_timeout: "1s" },
      scrape_configs: [{ job_name: "through-the-proxy", static_configs: [{ targets }] }],
    }),
  );
  expect((await measured('app_answers_total{job="through-the-proxy"}')).metric["instance"]).toBe(targets[0]);
});
