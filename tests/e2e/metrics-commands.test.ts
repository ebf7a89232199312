import { writeFile } from "node:fs/promises";
import path from "node:path";
import { capacityResource, remoteWriteList } from "@mainstay/api";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { useProduct } from "../support/use-product.ts";

const product = useProduct();
const NOW_MS = Date.now();

beforeAll(async () => {
  const metrics = Array.from({ length: 30 }, (_, step) => {
    const time = new Date(NOW_MS - (30 - step) * 10_000).toISOString();
    return ["a", "b"].map((zone) => {
      return { name: "shop_orders_total", labels: { zone }, value: step * (zone === "a" ? 2 : 1), time };
    });
  });
  const labels = { instance: "other", mountpoint: "/data", device: "/dev/b" };
  const free = Array.from({ length: 40 }, (_, step) => {
    const time = new Date(NOW_MS - (39 - step) * 10_000).toISOString();
    return { name: "node_filesystem_avail_bytes", labels, value: 2 ** 30 - step * 1000, time };
  });
  await product()
    .api()
    .post("/metrics", { metrics: [...metrics.flat(), ...free] });
});

const run = async (...args: string[]) => {
  const { stdout, stderr, exitCode } = await product().cli("metrics", ...args);
  return { stdout, stderr, exitCode };
};

describe("mainstay metrics", () => {
  it("answers a query for one moment, as a chart, and as JSON", async () => {
    expect((await run("query", "sum by (zone) (shop_orders_total)")).stdout).toBe(
      'VALUE  SERIES\n58     {zone="a"}\n29     {zone="b"}\n',
    );
    const { stdout } = await run("query", "shop_orders_total", "--range", "5m", "--step", "10s");
    expect(stdout).toMatch(/^ *58 ┤ +A/);
    expect(stdout).toContain('A shop_orders_total{zone="a"}  58\nB shop_orders_total{zone="b"}  29\n');
    const answer = z.object({ data: z.object({ resultType: z.literal("matrix") }) });
    await product().cliJson(answer, "metrics", "query", "shop_orders_total", "--range", "5m");
  });

  it("takes a time in seconds, as the API does, and says what is wrong with a step", async () => {
    const seconds = String(Math.ceil(NOW_MS / 1000));
    const { stdout } = await run("query", "sum(shop_orders_total)", "--time", seconds);
    expect(stdout).toContain("87     {}");
    const alone = await run("query", "up", "--step", "10s");
    expect([alone.exitCode, alone.stderr]).toEqual([2, expect.stringContaining("Give --range as well.")]);
    for (const step of ["1ms", "0s"]) {
      const { exitCode, stderr } = await run("query", "up", "--range", "1h", "--step", step);
      expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/resolution[^]*→ Give a larger --step/)]);
    }
  });

  it("says where a query is wrong, and fails", async () => {
    const { exitCode, stderr } = await run("query", "sum(shop_orders_total");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("1:22: parse error");
  });

  it("lists labels, what makes the store large, what is scraped and when disks are full", async () => {
    expect((await run("labels", "zone", "--match", "shop_orders_total")).stdout).toBe("a\nb\n");
    expect((await run("top", "--limit", "1000")).stdout).toMatch(
      /SERIES OF A METRIC {2}NAME\n[^]*2 +shop_orders_total/,
    );
    expect((await run("top")).stdout).toMatch(/QUERY\n[^]*sum by \(zone\) \(shop_orders_total\)/);
    expect((await run("targets")).exitCode).toBe(0);
    expect((await run("remote-write")).stdout).toContain("Samples are sent nowhere");
    await product().cliJson(remoteWriteList, "metrics", "remote-write");
    const { stdout } = await run("capacity");
    expect(stdout).toMatch(/\/data +other +1024MiB +−\S+ +in \d+ days, uncertain +6m30s\n/);
    expect(stdout).toContain("Forecast by a straight line through the last 6h.");
    await product().cliJson(capacityResource, "metrics", "capacity", "--window", "1h");
  });

  it("exports what the store holds as OpenMetrics", async () => {
    const lines = (await run("export", "shop_orders_total", "--range", "1h")).stdout.trimEnd().split("\n");
    expect(lines[0]).toBe("# TYPE shop_orders_total unknown");
    expect(lines.filter((line) => line.startsWith('shop_orders_total{zone="a"} '))).toHaveLength(30);
    expect(lines.at(-1)).toBe("# EOF");
  });

  it("imports samples of the past, and names the line that is wrong", async () => {
    const file = path.join(product().directory, "past.om");
    const pastS = Math.round(NOW_MS / 1000) - 5 * 86_400;
    const samples = Array.from(
      { length: 100 },
      (_, step) => `past_total{zone="a"} ${step} ${pastS + step * 15}`,
    );
    await writeFile(file, `# TYPE past counter\n${samples.join("\n")}\n# EOF\n`);
    expect((await run("import", file)).stdout).toBe("100 samples are kept\n");
    const at = new Date((pastS + 1500) * 1000).toISOString();
    expect((await run("query", "past_total", "--time", at)).stdout).toContain('99     past_total{zone="a"}');
    await writeFile(file, `past_total 1 ${pastS}\npast_total one ${pastS}\n# EOF\n`);
    const { stderr, exitCode } = await run("import", file);
    expect(stderr).toContain("past.om:2: ");
    expect(exitCode).toBe(1);
    await writeFile(file, `one_total 1 ${pastS}\n# EOF\n`);
    expect((await run("import", file)).stdout).toBe("1 sample is kept\n");
    await writeFile(file, `past_total 1 ${pastS}\n`);
    expect((await run("import", file)).stderr).toContain('does not end with "# EOF"');
  });

  it("checks files of rules with the place of what is wrong", async () => {
    const file = path.join(product().directory, "rules.yaml");
    await writeFile(file, "groups:\n  - name: shop\n    rules:\n      - { record: x, expr: up }\n");
    expect((await run("check-rules", file)).stdout).toBe(
      `${file}: 1 group, 1 recording rule, 0 alerting rules\n`,
    );
    await writeFile(file, "groups:\n  - name: shop\n    rules:\n      - { record: x, expr: 'sum(' }\n");
    const { stdout, exitCode } = await run("check-rules", file);
    expect(stdout).toMatch(/rules\.yaml:4:28: expr: 1:5: parse error: /);
    expect(exitCode).toBe(1);
  });
});
