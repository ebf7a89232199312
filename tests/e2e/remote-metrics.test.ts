import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { HAS_PROMETHEUS, startPrometheus, type RunningProgram } from "../support/prometheus.ts";
import { remoteWrite1, RW1_TYPE } from "../support/remote-write.ts";
import { waitUntil } from "../support/wait-until.ts";

const NOW_MS = Math.floor(Date.now() / 1000) * 1000;

describe.skipIf(!HAS_PROMETHEUS)(
  "metrics of a Prometheus elsewhere (Debian's package; skipped where it is absent)",
  () => {
    let folder: string;
    let prometheus: RunningProgram;
    let product: Product;

    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), "remote-metrics-"));
      prometheus = await startPrometheus(folder);
      const env = { MAINSTAY_METRICS_ENGINE: "remote", MAINSTAY_METRICS_REMOTE_URL: prometheus.url };
      product = await startProduct({ env });
      const body = remoteWrite1([
        {
          labels: [
            ["__name__", "far_away"],
            ["zone", "b"],
          ],
          samples: [[NOW_MS, 42]],
        },
      ]);
      const headers = { "content-type": RW1_TYPE, "content-encoding": "snappy" };
      await fetch(`${prometheus.url}/api/v1/write`, { method: "POST", headers, body });
    });
    afterAll(async () => {
      await product?.stop();
      await prometheus?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const run = (...args: string[]) => product.cli("metrics", ...args);

    it("are what the command line answers with", async () => {
      expect((await run("query", "far_away")).stdout).toBe('VALUE  SERIES\n42     far_away{zone="b"}\n');
      expect((await run("labels", "zone")).stdout).toBe("b\n");
      expect((await run("export", "far_away", "--range", "1h")).stdout).toContain('far_away{zone="b"} 42');
      const isKeptHere = async () => (await run("top", "--limit", "1000")).stdout.includes("mainstay_");
      await waitUntil("the platform's own figures", isKeptHere);
    });

    it("fail with words that say what to do while it is away, and nothing else does", async () => {
      await prometheus.stop();
      const { exitCode, stderr } = await run("query", "far_away");
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`the remote metrics store at ${prometheus.url} cannot be asked`);
      expect((await run("top")).exitCode).toBe(0);
      expect((await run("capacity")).exitCode).toBe(0);
      expect((await product.cli("status")).exitCode).toBe(0);
    });
  },
);
