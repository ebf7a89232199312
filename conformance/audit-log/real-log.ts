import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AuditLine } from "@mainstay/api";
import { copyHello, UNJUDGED_ROLLOUT } from "../../tests/support/hello.ts";
import { startProduct, type Product } from "../../tests/support/product.ts";

/** What a platform left behind that really ran. */
export interface RealLog {
  /** As `mainstay audit export` wrote it. */
  folder: string;
  vkey: string;
  /** The secret half, which a thief of the data directory would have. */
  skey: string;
  /** By path within the log. */
  files: Map<string, Uint8Array>;
  lines: AuditLine[];
  /** Checkpoints that were kept on the way. */
  kept: { path: string; note: string }[];
  /** Files `<index>.tlog-proof`. */
  proofs: string[];
}

const TOGGLES = 150;
const KILLS = [40, 90];

/** Deploys, alters, rolls back, and loses its server twice meanwhile. */
export async function runPlatform<Result>(
  use: (product: Product, log: RealLog) => Promise<Result>,
): Promise<Result> {
  const product = await startProduct();
  try {
    const hello = await copyHello(product.directory);
    await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: UNJUDGED_ROLLOUT });
    await mustRun(product, "deploy", hello.directory);
    const kept = [await keep(product, "early")];
    for (let at = 0; at < TOGGLES; at += 1) {
      const order = { on: at % 2 === 0, reason: `toggle ${at}` };
      await product.api().post("/services/hello/maintenance", order);
      if (KILLS.includes(at)) await product.kill("server");
    }
    await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: UNJUDGED_ROLLOUT, env: { ROUND: "2" } });
    await mustRun(product, "deploy", hello.directory);
    kept.push(await keep(product, "late"));
    await mustRun(product, "rollback", "hello");
    await mustRun(product, "audit", "verify", ...kept.flatMap(({ path }) => ["--since", path]));
    const folder = join(product.directory, "exported");
    await mustRun(product, "audit", "export", "--output", folder);
    return await use(product, { kept, ...(await readExport(product, folder)) });
  } finally {
    await product.stop();
  }
}

async function mustRun(product: Product, ...args: string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await product.cli(...args);
  if (exitCode !== 0)
    throw new Error(`mainstay ${args.join(" ")} ended with ${exitCode}: ${stdout}${stderr}`);
}

async function keep(product: Product, name: string): Promise<{ path: string; note: string }> {
  const path = join(product.directory, `${name}.checkpoint`);
  const note = Buffer.from((await product.api().file("/audit/log/checkpoint")) ?? []).toString();
  await writeFile(path, note);
  return { path, note };
}

async function readExport(product: Product, folder: string): Promise<Omit<RealLog, "kept">> {
  const log = join(folder, "log");
  const entries = await readdir(log, { recursive: true, withFileTypes: true });
  const files = new Map<string, Uint8Array>();
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(log.length + 1), await readFile(path));
  }
  const text = await readFile(join(folder, "entries.jsonl"), "utf8");
  const names = await readdir(join(folder, "proofs"));
  return {
    ...{ folder, files, vkey: (await readFile(join(folder, "vkey"), "utf8")).trim() },
    skey: (await readFile(join(product.dataDirectory, "keys/audit-log.key"), "utf8")).trim(),
    lines: text
      .trim()
      .split("\n")
      .map((line): AuditLine => JSON.parse(line)),
    proofs: names.filter((name) => name.endsWith(".tlog-proof")).map((name) => join(folder, "proofs", name)),
  };
}
