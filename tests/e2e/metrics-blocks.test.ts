import { execFile } from "node:child_process";
import { cp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { runCommand } from "../support/command.ts";
import { HAS_PROMETHEUS, startPrometheus } from "../support/prometheus.ts";
import { startHttpReceiver } from "../support/receivers.ts";
import { remoteWrite2, RW2_TYPE, type SentSeries } from "../support/remote-write.ts";
import { useProduct } from "../support/use-product.ts";

const product = useProduct();
const NOW_MS = Math.floor(Date.now() / 15_000) * 15_000;

/** Over three hours, so that there is more than one block, whatever the time. */
const STEPS = 720;
const orders: SentSeries[] = ["ä", "b", "c"].map((zone, nth) => ({
  labels: [
    ["__name__", "orders_total"],
    ["zone", zone],
  ],
  samples: Array.from({ length: STEPS }, (_, step) => {
    const timeMs = NOW_MS - (STEPS - step) * 15_000 + (step % 9);
    return [timeMs, nth === 2 ? Math.sin(step) : step * (nth + 1)];
  }),
}));
/** So many values of a label that readers of an index find most of them by looking between others. */
const MANY = 200;
const many = Array.from(
  { length: MANY },
  (_, nth) => `many{nth="${nth}"} ${nth} ${(NOW_MS - 60_000) / 1000}`,
);
const latency: SentSeries = {
  labels: [["__name__", "latency"]],
  histograms: Array.from({ length: 40 }, (_, step) => [
    NOW_MS - 600_000 + step * 15_000,
    4 + 2 * (step % 30),
  ]),
};

beforeAll(async () => {
  const text = orders.flatMap(({ labels, samples = [] }) =>
    samples.map(([timeMs, value]) => `orders_total{zone="${labels[1]?.[1]}"} ${value} ${timeMs / 1000}`),
  );
  const file = path.join(product().directory, "orders.om");
  await writeFile(file, `# TYPE orders counter\n${[...text, ...many].join("\n")}\n# EOF\n`);
  expect((await product().cli("metrics", "import", file)).exitCode).toBe(0);
  const { MAINSTAY_TOKEN } = product().access();
  const headers = {
    ...{ authorization: `Bearer ${MAINSTAY_TOKEN}`, "content-type": RW2_TYPE, "content-encoding": "snappy" },
  };
  const init = { method: "POST", headers, body: remoteWrite2([latency]) };
  expect((await fetch(`${product().url}/prometheus/api/v1/write`, init)).status).toBe(204);
});

const exported = z.object({
  directory: z.string(),
  blocks: z.array(
    z.object({ ulid: z.string(), series: z.number(), samples: z.number(), chunks: z.number() }),
  ),
});
const exportTo = (directory: string, selector: string) => [
  ...["metrics", "export", selector, "--range", "6h", "--format", "prometheus-blocks"],
  ...["--directory", directory],
];
const promtool = (...args: string[]) =>
  promisify(execFile)("promtool", ["tsdb", ...args], { maxBuffer: 2 ** 26 });

describe.skipIf(!HAS_PROMETHEUS)(
  "blocks for a Prometheus (Debian's package; skipped where it is absent)",
  () => {
    it("are what promtool reads, sample by sample", async () => {
      const directory = path.join(product().directory, "orders");
      const { document } = await product().cliJson(exported, ...exportTo(directory, "orders_total"));
      expect(document.blocks.length).toBeGreaterThanOrEqual(2);
      expect(document.blocks.reduce((sum, { samples }) => sum + samples, 0)).toBe(3 * STEPS);

      const listed = await promtool("list", directory);
      for (const { ulid } of document.blocks) expect(listed.stdout).toContain(ulid);
      const analyzed = await promtool("analyze", directory, document.blocks[0]?.ulid ?? "");
      for (const line of ["3 __name__=orders_total", "1 zone=ä", "1 zone=b", "1 zone=c", "3 zone"])
        expect(analyzed.stdout).toContain(`\n${line}\n`);

      const lines = (await promtool("dump", directory)).stdout.trimEnd().split("\n");
      const held = orders.flatMap(({ labels, samples = [] }) =>
        samples.map(
          ([timeMs, value]) => `{__name__="orders_total", zone="${labels[1]?.[1]}"} ${value} ${timeMs}`,
        ),
      );
      expect(lines.map(inOurNumbers).toSorted()).toEqual(held.toSorted());
    });

    it("are served by a Prometheus, native histograms too", async () => {
      const directory = path.join(product().directory, "all");
      const { stdout } = await product().cli(
        ...exportTo(directory, '{__name__=~"orders_total|latency|many"}'),
      );
      expect(stdout).toMatch(/^\d blocks? with 2400 samples in /);
      const data = path.join(product().directory, "prometheus/data");
      await mkdir(data, { recursive: true });
      for (const block of await readdir(directory))
        await cp(path.join(directory, block), path.join(data, block), { recursive: true });
      const more = ["--enable-feature=native-histograms"];
      const prometheus = await startPrometheus(path.dirname(data), { more });
      try {
        const ask = async (query: string) => {
          // No sample stands on the left border of a range, where Prometheus 2 and 3 differ.
          const search = new URLSearchParams({ query, time: String(NOW_MS / 1000 - 7.5) });
          const ours = { headers: { authorization: `Bearer ${product().access().MAINSTAY_TOKEN}` } };
          const [theirs, here] = await Promise.all([
            fetch(`${prometheus.url}/api/v1/query?${search}`),
            fetch(`${product().url}/prometheus/api/v1/query?${search}`, ours),
          ]);
          return [resultOf(await theirs.json()), resultOf(await here.json())];
        };
        for (const query of [
          "sum(sum_over_time(orders_total[5h]))",
          'count_over_time(orders_total{zone="ä"}[5h])',
          "histogram_sum(latency)",
          'many{nth="157"}',
          'sum(many{nth=~"1.*"})',
          'count({__name__=~"m.+", nth!=""})',
          "histogram_count(increase(latency[9m]))",
        ]) {
          const [theirs, ours] = await ask(query);
          expect(theirs).toHaveLength(1);
          expect(theirs).toEqual(ours);
        }
      } finally {
        await prometheus.stop();
      }
    });
  },
);

describe("mainstay metrics export", () => {
  it("does not write among what is there, and says what goes together", async () => {
    const directory = path.join(product().directory, "full");
    await mkdir(directory);
    await writeFile(path.join(directory, "mine"), "");
    const { exitCode, stderr } = await product().cli(...exportTo(directory, "orders_total"));
    expect([exitCode, await readdir(directory)]).toEqual([2, ["mine"]]);
    expect(stderr).toContain("is not empty");
    await rm(path.join(directory, "mine"));
    expect((await product().cli(...exportTo(directory, "sum(orders_total)"))).stderr).toContain(
      "is no selector",
    );
    expect((await product().cli(...exportTo(directory, "nothing_such"))).stdout).toBe("Nothing was found.\n");
    expect(await readdir(directory)).toEqual(["wal"]);
    const alone = await product().cli(
      "metrics",
      "export",
      "orders_total",
      "--range",
      "1h",
      "--directory",
      directory,
    );
    expect([alone.exitCode, alone.stderr]).toEqual([2, expect.stringContaining("go together")]);
  });
});

describe("a stream that breaks off", () => {
  it("leaves no block, and is told", async () => {
    const receiver = await startHttpReceiver((_request, response) => {
      response
        .writeHead(200, { "content-type": "application/x-streamed-protobuf" })
        .write(Uint8Array.of(100, 1, 2));
      setImmediate(() => response.destroy());
    });
    onTestFinished(() => receiver.close());
    const directory = path.join(product().directory, "broken");
    const env = { MAINSTAY_URL: receiver.url, MAINSTAY_TOKEN: "anything" };
    const { exitCode, stderr } = await runCommand(exportTo(directory, "orders_total"), { env });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("broke off");
    expect(await readdir(directory)).toEqual(["wal"]);
  });
});

/** promtool writes 1e+06 where we write 1000000. */
function inOurNumbers(line: string): string {
  const [, series = "", value = "", timeMs = ""] = /^(.*) (\S+) (\d+)$/.exec(line) ?? [];
  return `${series} ${Number(value)} ${timeMs}`;
}

const answer = z.looseObject({
  data: z.looseObject({ result: z.array(z.looseObject({ value: z.tuple([z.number(), z.string()]) })) }),
});
function resultOf(document: unknown): string[] {
  return answer.parse(document).data.result.map(({ value }) => Number(value[1]).toPrecision(12));
}
