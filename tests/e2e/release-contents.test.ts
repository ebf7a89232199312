import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import {
  collectionResource,
  parseServiceFile,
  releaseDiffResource,
  releaseResource,
  type ChangeResource,
} from "@mainstay/api";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { watchUntil } from "../support/changes.ts";
import { runCommand } from "../support/command.ts";
import { copyHello, UNJUDGED_ROLLOUT, type Hello } from "../support/hello.ts";
import { useProduct } from "../support/use-product.ts";
import { releaseServed } from "../support/visitors.ts";

const product = useProduct({ env: { MAINSTAY_RETENTION_RELEASES: "1" } });
let hello: Hello;

const lock = (packages: Record<string, string>) => {
  const entries = Object.entries(packages).map(([name, version]) => [`node_modules/${name}`, { version }]);
  return JSON.stringify({ lockfileVersion: 3, packages: Object.fromEntries(entries) });
};

/** Ships the directory with these packages; answers the release. */
async function ship(packages: Record<string, string>, ...args: string[]) {
  await writeFile(path.join(hello.directory, "package-lock.json"), lock(packages));
  const told = await product().cli("deploy", hello.directory, ...args);
  expect(told.exitCode, told.stderr).toBe(0);
  return { told: told.stdout, id: /rel_[0-9a-f]+/.exec(told.stdout)?.[0] ?? "" };
}

/** The release before is drained in the background, and needed until then. */
async function untilNothingChanges(): Promise<void> {
  const { items } = await product().api().get<{ items: ChangeResource[] }>("/changes");
  for (const { id } of items) await watchUntil(product(), id, (change) => change.finishedAt !== null);
}

beforeAll(async () => {
  hello = await copyHello(product().directory);
  await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: { ...UNJUDGED_ROLLOUT, keepWarm: "0s" } });
});

describe("releases, one after the other", () => {
  const ids: string[] = [];

  it("tell before a deploy what is different, and are compared afterwards", async () => {
    const first = await ship({ a: "1.0.0", b: "1.0.0" });
    const second = await ship({ a: "1.1.0" }, "--env", "EXTRA=hush");
    ids.push(first.id, second.id);
    expect(second.told).toMatch(
      /^changes {3}packages 1 removed, 1 changed · variables \+EXTRA · files 1 changed$/m,
    );
    const diff = await product().cliJson(releaseDiffResource, "releases", "diff", first.id, second.id);
    expect(diff.document.components).toEqual({
      added: [],
      removed: [{ name: "b", versions: ["1.0.0"] }],
      changed: [{ name: "a", from: ["1.0.0"], to: ["1.1.0"] }],
    });
    expect((await product().cli("releases", "diff", first.id, second.id)).stdout).not.toContain("hush");
  });

  it("say what they are made of", async () => {
    const sbom = await product().cliJson(
      z.looseObject({ components: z.unknown().array() }),
      "releases",
      "sbom",
      ids[0] ?? "",
    );
    expect(sbom.document).toMatchObject({
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      components: [{ purl: "pkg:npm/a@1.0.0" }, { purl: "pkg:npm/b@1.0.0" }],
    });
    expect((await product().cli("releases", "sbom", "rel_0")).exitCode).toBe(1);
    expect((await product().cli("releases", "show", ids[0] ?? "")).stdout).toMatch(
      /Compared with rel_.*which serves/,
    );
  });

  it("make room, and what came before can still be gone back to", async () => {
    for (const version of ["2.0.0", "3.0.0"]) ids.push((await ship({ a: version })).id);
    await untilNothingChanges();
    const dry = await product().cliJson(collectionResource, "releases", "gc", "--dry-run");
    expect(dry.document.removed.map((each) => each.id)).toEqual(ids.slice(0, 2));
    const gone = await product().cliJson(collectionResource, "releases", "gc");
    expect(gone.document).toMatchObject({ dryRun: false, freedBytes: dry.document.freedBytes });
    expect(gone.document.freedBytes).toBeGreaterThan(0);
    expect((await readdir(path.join(product().dataDirectory, "releases"))).length).toBe(2);
    expect(await product().cli("deploy", "--release", ids[0] ?? "")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("were removed to make room"),
    });
    const back = await product().cli("rollback", "hello");
    expect(back.exitCode, back.stderr).toBe(0);
    expect(await releaseServed(product().dataPlaneUrl)).toBe(ids[2]);
    const { document } = await product().cliJson(releaseResource.array(), "releases", "list", "hello");
    expect(document.find((each) => each.id === ids[0])?.collectedAt).not.toBeNull();
  });
});

describe("commands that need no server", () => {
  const alone = (...args: string[]) =>
    runCommand(args, { cwd: product().directory, env: { HOME: product().directory } });

  it("propose a service file, write it when told to, and never over another one", async () => {
    const directory = path.join(product().directory, "theirs");
    await mkdir(directory);
    expect(await alone("init", directory)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("nothing in"),
    });
    await writeFile(path.join(directory, "Procfile"), "web: node server.js\nworker: node worker.js\n");
    expect((await alone("init", directory)).stdout).toMatch(
      /Not known:[^]*is a guess[^]*Nothing was written/,
    );
    expect(await readdir(directory)).toEqual(["Procfile"]);
    expect((await alone("init", directory, "--health", "/up", "--yes")).exitCode).toBe(0);
    const text = await readFile(path.join(directory, "mainstay.yaml"), "utf8");
    expect(parseServiceFile(text, "mainstay.yaml")).toMatchObject({
      service: "theirs",
      processes: { web: { port: "auto", health: { path: "/up" } }, worker: { command: "node worker.js" } },
    });
    expect(await alone("init", directory, "--yes")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("there already"),
    });
    const again = await alone("init", directory, "--yes", "--force", "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ written: true });
  });

  it("simulate the judge on a service file", async () => {
    const file = path.join(product().directory, "short.yaml");
    const stages = [{ weight: "50%", bake: "1m" }, { weight: "100%" }];
    const rollout = { stages, judge: { onTooLittleEvidence: "advance" } };
    await writeFile(file, JSON.stringify({ service: "x", processes: { w: { command: "x" } }, rollout }));
    const { exitCode, stdout } = await alone(
      "simulate",
      "--rps",
      "20",
      "--file",
      file,
      "--runs",
      "3",
      "--json",
    );
    const document = JSON.parse(stdout);
    expect(exitCode).toBe(0);
    expect(document.summaries).toMatchObject([
      { scenario: "healthy", runs: 3, undone: 0 },
      ...[{ scenario: "errors ×2" }, { scenario: "errors ×5" }, { scenario: "latency ×2" }],
    ]);
    expect(await alone("simulate", "--rps", "none")).toMatchObject({ exitCode: 2 });
  });

  it("complete themselves, with names where a server answers and without where none does", async () => {
    expect((await alone("completion", "bash")).stdout).toContain("complete -o bashdefault");
    expect((await product().cli("completion", "names", "services")).stdout).toBe("hello\n");
    const nowhere = await runCommand(["completion", "names", "changes"], {
      env: { MAINSTAY_URL: "http://127.0.0.1:1" },
    });
    expect(nowhere).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  });
});
