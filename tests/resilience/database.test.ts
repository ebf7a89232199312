import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { changeResource, type PlatformResource } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import { findGaps, watchUntil } from "../support/changes.ts";
import { copyHello, UNJUDGED_ROLLOUT, type Hello } from "../support/hello.ts";
import { lostOf, NOTHING_LOST, underLoad } from "../support/load.ts";
import { startProduct, type Product } from "../support/product.ts";
import { createTemporaryDirectory } from "../support/temporary.ts";
import { useProduct } from "../support/use-product.ts";
import { waitUntil } from "../support/wait-until.ts";

const POSTGRES = fileURLToPath(new URL("../support/embedded-server.ts", import.meta.url));

async function prepare(where: Product): Promise<Hello> {
  const hello = await copyHello(where.directory);
  await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: UNJUDGED_ROLLOUT });
  expect((await where.cli("deploy", hello.directory)).exitCode).toBe(0);
  return hello;
}

describe("the embedded PostgreSQL", () => {
  const product = useProduct();

  async function postmasterPid(): Promise<number> {
    const file = path.join(product().dataDirectory, "postgres", "postmaster.pid");
    return Number((await readFile(file, "utf8")).split("\n")[0]);
  }

  it("comes back after a kill -9 amid a change, which still succeeds and loses no request", async () => {
    const hello = await prepare(product());
    const server = await product().pidOf("server");
    const { result: id, load } = await underLoad(product(), async () => {
      const { document } = await product().cliJson(changeResource, "deploy", hello.directory, "--detach");
      await watchUntil(product(), document.id, (change) => change.state === "stepping" && change.stage === 1);
      const killed = await postmasterPid();
      process.kill(killed, "SIGKILL");
      await waitUntil(
        "another PostgreSQL",
        async () => (await postmasterPid().catch(() => killed)) !== killed,
      );
      await product().untilReady();
      const ended = await watchUntil(product(), document.id, (change) => change.finishedAt !== null);
      expect(ended.state).toBe("succeeded");
      return document.id;
    });
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    expect(await findGaps(product(), id)).toEqual([]);
    expect(await product().pidOf("server")).toBe(server);
  });
});

/** A PostgreSQL that is not Mainstay's own, with the URL that leads there. */
async function startForeignPostgres(directory: string): Promise<{ url: string; child: ChildProcess }> {
  const runtimeDirectory = path.join(directory, "run");
  mkdirSync(runtimeDirectory);
  const args = [POSTGRES, path.join(directory, "data"), runtimeDirectory];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const { host, user, database } = JSON.parse(String(line)) as Record<"host" | "user" | "database", string>;
  return { url: `postgres://${user}@${encodeURIComponent(host)}/${database}`, child };
}

describe("a PostgreSQL of the user's own, by DATABASE_URL", () => {
  it("is all that is needed: releases are shipped, and a killed server comes back to them", async () => {
    const home = createTemporaryDirectory();
    const postgres = await startForeignPostgres(home.path);
    const own = await startProduct({ env: { DATABASE_URL: postgres.url } });
    try {
      const hello = await prepare(own);
      await own.kill("server");
      await own.untilReady();
      const { document: change } = await own.cliJson(changeResource, "deploy", hello.directory);
      expect(change).toMatchObject({ state: "baking", weight: 1 });
      expect(await findGaps(own, change.id)).toEqual([]);
      const { database } = await own.api().get<PlatformResource>("/platform");
      expect(database).toMatch(/^PostgreSQL at /);
      expect(existsSync(path.join(own.dataDirectory, "postgres"))).toBe(false);
    } finally {
      await own.stop();
      const gone = once(postgres.child, "exit");
      postgres.child.kill("SIGTERM");
      await gone;
      home.remove();
    }
  });
});
