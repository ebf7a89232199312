import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { auditDetails, auditLogResource, auditResource, erasureResult, page } from "@mainstay/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { copyHello, UNJUDGED_ROLLOUT } from "../support/hello.ts";
import { startProduct, type Product } from "../support/product.ts";
import { waitUntil } from "../support/wait-until.ts";

const VERIFIER = path.join(import.meta.dirname, "../../docs/verify-log.mjs");
const run = promisify(execFile);

let product: Product;
let vkey: string;

beforeAll(async () => {
  product = await startProduct({ env: {} });
  const hello = await copyHello(product.directory);
  await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: UNJUDGED_ROLLOUT });
  await product.cli("deploy", hello.directory, "--reason", "the first");
  const { document } = await product.cliJson(auditLogResource, "audit", "log");
  vkey = document.vkey ?? "";
});
afterAll(() => product?.stop());

const report = z.object({
  isWhole: z.boolean(),
  size: z.int(),
  compared: z.int(),
  findings: z.array(z.string()),
});

describe("the audit of a deploy", () => {
  it("is listed, narrowed down, and shown", async () => {
    const query = ["audit", "list", "--service", "hello", "--action", "changes.requested"];
    const { document } = await product.cliJson(page(auditResource), ...query);
    const [entry] = document.items;
    expect(entry).toMatchObject({ action: "changes.requested", service: "hello", reason: "the first" });
    const shown = await product.cliJson(auditDetails, "audit", "show", String(entry?.index));
    expect(shown.document.entry).toEqual(entry);
  });

  it("is verified, and after the server was killed it goes on", async () => {
    const first = await product.cliJson(report, "audit", "verify", "--key", vkey);
    expect(first.document).toMatchObject({ isWhole: true, findings: [] });
    await product.kill("server");
    await product.untilReady();
    await product.api().post("/services/hello/maintenance", { on: true });
    await waitUntil("the log to go on", async () => {
      const { document } = await product.cliJson(report, "audit", "verify");
      return document.isWhole && document.size > first.document.size;
    });
  });

  it("is verified by a program of one file, from the server and from a folder", async () => {
    const env = { ...process.env, ...product.access() };
    const fromServer = await run(process.execPath, [VERIFIER, "--key", vkey, `${product.url}/audit/log`], {
      env,
    });
    expect(fromServer.stdout).toMatch(/^ok: /);
    const folder = path.join(product.directory, "exported");
    expect((await product.cli("audit", "export", "--output", folder, "--format", "csv")).exitCode).toBe(0);
    expect(await readFile(path.join(folder, "entries.csv"), "utf8")).toContain("changes.requested");
    const proof = [
      "--proof",
      path.join(folder, "proofs/1.tlog-proof"),
      "--entry",
      path.join(folder, "proofs/1.json"),
    ];
    const args = [VERIFIER, "--key", vkey, ...proof, path.join(folder, "log")];
    expect((await run(process.execPath, args)).stdout).toMatch(/^ok: [\s\S]*^ok: /m);
  });

  it("is for those who may read it", async () => {
    expect((await fetch(`${product.url}/audit/log/checkpoint`)).status).toBe(401);
  });

  it("is not believed when a kept checkpoint is of another history", async () => {
    const kept = path.join(product.directory, "kept");
    const note = Buffer.from((await product.api().file("/audit/log/checkpoint")) ?? []).toString();
    await writeFile(kept, note.replace("\n", "x\n"));
    expect((await product.cli("audit", "verify", "--since", kept)).exitCode).toBe(1);
  });

  it("loses the address of a key when that is erased, and is verified afterwards", async () => {
    const person = product.access().MAINSTAY_TOKEN.slice(3, 11);
    const dry = await product.cliJson(erasureResult, "audit", "erase", "--person", person);
    expect(dry.document.values).toBeGreaterThan(0);
    await product.cli("audit", "erase", "--person", person, "--yes");
    const { stdout } = await product.cli("audit", "list", "--json", "--service", "hello", "--actor", person);
    expect(stdout).toContain('"address": "erased"');
    await waitUntil("it to be verified", async () => (await product.cli("audit", "verify")).exitCode === 0);
  });
});
