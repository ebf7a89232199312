import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCheckpoint } from "./checkpoint.ts";
import { proveEntry } from "./proof-file.ts";
import type { MemoryStore } from "./testing/memory-store.ts";
import { createSampleLog, KEY, sampleEntries, TRUST } from "./testing/sample-log.ts";
import { isLogPath } from "./tiles.ts";

const SCRIPT = join(import.meta.dirname, "../../../docs/verify-log.mjs");

let folder = "";
let server: Server | null = null;
let store: MemoryStore;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "verify-log-"));
  store = await createSampleLog(sampleEntries(600));
  const kept = await createSampleLog(sampleEntries(300));
  const checkpoint = openCheckpoint((await store.read("checkpoint")) ?? "", TRUST);
  await save("log", store);
  await save("kept", kept);
  await writeFile(join(folder, "599.tlog-proof"), await proveEntry(store, checkpoint, 599));
  await writeFile(join(folder, "599.txt"), "entry 599");
});
afterAll(async () => {
  server?.close();
  await rm(folder, { recursive: true });
});

async function save(name: string, { files }: MemoryStore): Promise<void> {
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(folder, name, path)), { recursive: true });
    await writeFile(join(folder, name, path), bytes);
  }
}

interface Outcome {
  code: number;
  output: string;
}

function verify(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [SCRIPT, ...args], { cwd: folder }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, output: `${stdout}${stderr}`.trim() }),
    );
  });
}

describe("the verifier that stands alone", () => {
  it("verifies a folder against a checkpoint that was kept, and a proof", async () => {
    const args = ["--retained", "kept/checkpoint", "--proof", "599.tlog-proof", "log"];
    const { code, output } = await verify("--key", KEY.vkey, ...args);
    expect(output).toMatch(
      /^ok: 600 entries of log\.example\/audit, root \S+, and goes on from 1 kept\nok: 599/,
    );
    expect(code).toBe(0);
  });

  it("verifies a log over HTTP, whose partial tiles have made room for full ones", async () => {
    const later = await createSampleLog(sampleEntries(1_024));
    server = createServer((request, response) => {
      const path = (request.url ?? "").replace("/audit/log/", "");
      const bytes = (path === "checkpoint" ? store : later).files.get(path);
      response.writeHead(isLogPath(path) && bytes ? 200 : 404).end(bytes);
    });
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    later.files.set("tile/1/000.p/2", store.files.get("tile/1/000.p/2") ?? Buffer.of());
    const { code, output } = await verify("--key", KEY.vkey, `http://127.0.0.1:${port}/audit/log`);
    expect(output).toMatch(/^ok: 600 entries/);
    expect(code).toBe(0);
  });

  it("verifies a proof and its entry without any log", async () => {
    const proof = ["--proof", "599.tlog-proof", "--entry"];
    expect(await verify("--key", KEY.vkey, ...proof, "599.txt")).toEqual({
      code: 0,
      output: "ok: 599.tlog-proof: entry 599 of the log of 600",
    });
    const { code, output } = await verify("--key", KEY.vkey, ...proof, "599.tlog-proof");
    expect({ code, output }).toEqual({
      code: 1,
      output: "FAILED: 599.tlog-proof does not prove that the entry is number 599",
    });
  });

  it("says what is wrong with a log", async () => {
    const tampered = await createSampleLog(sampleEntries(600));
    const bundle = tampered.files.get("tile/entries/001");
    if (bundle) bundle[30] = 0;
    await save("tampered", tampered);
    expect(await verify("--key", KEY.vkey, "tampered")).toEqual({
      code: 1,
      output: "FAILED: entry 258 is not the one of tile/0/001",
    });
    await save("shorter", await createSampleLog(sampleEntries(100)));
    expect(await verify("--key", KEY.vkey, "--retained", "kept/checkpoint", "shorter")).toEqual({
      code: 1,
      output: "FAILED: the log has 100 entries, in kept/checkpoint it had 300",
    });
  });

  it("tells how it wants to be asked", async () => {
    expect(await verify()).toMatchObject({
      code: 2,
      output: expect.stringContaining("Usage: node verify-log.mjs"),
    });
    expect(await verify("--key", KEY.vkey)).toMatchObject({ code: 2 });
    expect(await verify("--key", KEY.vkey.replace("a", "b"), "log")).toMatchObject({ code: 2 });
    expect(await verify("--what")).toMatchObject({ code: 2 });
    expect(await verify("--help")).toMatchObject({ code: 0 });
  });
});
