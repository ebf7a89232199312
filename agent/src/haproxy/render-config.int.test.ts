import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { sampleService } from "../testing/sample-service.ts";
import { TEST_ENGINES, TEST_LIMITS } from "../testing/worker.ts";
import { engineTableOf } from "./engine-table.ts";
import { renderConfig, renderMap } from "./render-config.ts";

describe.runIf(TEST_ENGINES.includes("haproxy"))(
  "the configuration (skipped where HAProxy is absent)",
  () => {
    it("is one that HAProxy takes without a warning, whatever the services want", async () => {
      const directory = await mkdtemp(join(tmpdir(), "mainstay-config-"));
      const path = (name: string) => join(directory, name);
      const candidate = { release: "rel_2", instances: [{ id: "ins_2", port: 20_002, weight: 3 }] };
      const table = engineTableOf({
        services: [
          sampleService({ candidate, change: "chg_1", weight: 100, assignmentHeader: "X-User" }),
          sampleService({ service: "site", routes: [{ host: "*.a.test", path: "/x" }] }),
          sampleService({
            service: "bare",
            answers: { compression: false, securityHeaders: true },
            connections: { balance: "least-connections", drainTimeoutMs: 0, holdTimeoutMs: 0 },
          }),
        ],
      });
      const maps = { routes: path("routes.map"), rows: path("rows.map") };
      const text = renderConfig({
        table,
        cookieKey: Buffer.alloc(32, 1).toString("base64"),
        threads: 2,
        limits: TEST_LIMITS,
        drainTimeoutMs: 5000,
        trustedProxies: ["10.0.0.0/8", "fd00::/8"],
        paths: { admin: path("admin"), log: path("log"), nodes: [path("behind-0"), path("behind-1")], maps },
      });
      await writeFile(maps.routes, renderMap(table.routes));
      await writeFile(maps.rows, renderMap(table.rows));
      // There is no socket to inherit here.
      await writeFile(path("haproxy.cfg"), text.replace("fd@3", "127.0.0.1:1"));
      const checked = await promisify(execFile)("haproxy", ["-c", "-f", path("haproxy.cfg")]);
      expect(checked.stderr).toBe("");
      expect(checked.stdout).toContain("Configuration file is valid");
      await rm(directory, { recursive: true });
    });
  },
);
