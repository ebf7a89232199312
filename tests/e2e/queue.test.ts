import { changeResource, previewResource, reportResource, type ChangeResource } from "@mainstay/api";
import { beforeAll, describe, expect, it } from "vitest";
import { auditInOrder, timelineOf, watchUntil } from "../support/changes.ts";
import { statusDocument } from "../support/documents.ts";
import { copyHello, UNJUDGED_ROLLOUT, type Hello } from "../support/hello.ts";
import { useProduct } from "../support/use-product.ts";

const product = useProduct();
let hello: Hello;

const SLOW = { stages: [{ weight: "10%", bake: "1h" }, { weight: "100%" }], keepWarm: "1h" };
const DAY_MS = 86_400_000;

/** A window around now, as the service file writes it. */
function frozenNow() {
  const text = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace("T", " ");
  const nowMs = Date.now();
  return [{ from: text(nowMs - DAY_MS), to: text(nowMs + DAY_MS), reason: "stocktaking" }];
}

beforeAll(async () => {
  hello = await copyHello(product().directory);
  await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: { ...UNJUDGED_ROLLOUT, keepWarm: "1h" } });
  await hello.write("slow.yaml", "mainstay.yaml", { rollout: SLOW });
  await hello.write("frozen.yaml", "mainstay.yaml", {
    rollout: UNJUDGED_ROLLOUT,
    more: { freeze: frozenNow() },
  });
  await deploy("mainstay.yaml");
});

async function deploy(file: string, ...options: string[]): Promise<ChangeResource> {
  const args = ["deploy", hello.directory, "--file", file, ...options];
  return (await product().cliJson(changeResource, ...args)).document;
}

async function until(id: string, state: string): Promise<ChangeResource> {
  return watchUntil(product(), id, (change) => change.state === state);
}

describe("the queue behind a change", () => {
  it("is entered by choice, seen in status, left by cancel, and moves on by itself", async () => {
    const first = await deploy("slow.yaml", "--detach");
    await until(first.id, "stepping");
    const refused = await product().cli("deploy", hello.directory);
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`altered by ${first.id} (stepping)`),
    });
    expect(refused.stderr).toMatch(/requested by .+ at 20\d\d-/);
    expect(refused.stderr).toContain("mainstay deploy --wait-for-lock");

    const second = await deploy("mainstay.yaml", "--wait-for-lock", "--detach");
    const third = await deploy("mainstay.yaml", "--wait-for-lock", "--detach");
    const { document } = await product().cliJson(statusDocument, "status");
    expect(document.queue.map(({ id, ahead, behind }) => [id, ahead, behind])).toEqual([
      [second.id, 1, first.id],
      [third.id, 2, first.id],
    ]);
    const { stdout } = await product().cli("status");
    expect(stdout).toContain("WAITING");

    const cancelled = await product().cliJson(
      changeResource,
      "change",
      "cancel",
      second.id,
      "--reason",
      "not yet",
    );
    expect(cancelled.document).toMatchObject({ state: "undone", outcome: "not yet" });
    await product().cli("change", "abort", first.id);
    await until(third.id, "baking");
  });

  it("is left to the newest when that says so", async () => {
    const first = await deploy("slow.yaml", "--detach");
    await until(first.id, "stepping");
    const old = await deploy("mainstay.yaml", "--wait-for-lock", "--detach");
    const newest = await deploy("mainstay.yaml", "--supersede", "--detach");
    expect(await until(old.id, "undone")).toMatchObject({ outcome: `superseded by ${newest.id}` });
    await product().cli("change", "abort", first.id);
    await until(newest.id, "baking");
  });
});

describe("a freeze window", () => {
  it("refuses a deploy with its end and its reason, and is overridden with another, audited", async () => {
    const args = ["deploy", hello.directory, "--file", "frozen.yaml"];
    const refused = await product().cli(...args);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/production\/hello is frozen until 20\d\d-\S+Z: stocktaking/);
    const checked = await product().cliJson(previewResource, ...args, "--check");
    expect(checked).toMatchObject({ exitCode: 1, document: { findings: [{ code: "CHANGE_FROZEN" }] } });

    const change = await deploy("frozen.yaml", "--override-freeze", "checkout is down");
    expect(change).toMatchObject({ state: "baking", findings: [{ code: "CHANGE_FROZEN", isForced: true }] });
    const reasons = (await timelineOf(product(), change.id)).map((entry) => entry.reason).join("\n");
    expect(reasons).toContain("overridden: checkout is down");
    const request = (await auditInOrder(product())).find(
      (each) => each.change === change.id && each.action === "changes.requested",
    );
    expect(request).toMatchObject({ after: { overrideFreeze: "checkout is down" } });
    const { stdout: markdown } = await product().cli("change", "report", change.id);
    expect(markdown).toContain("# release of hello in production: baking");
    expect(markdown).toContain("- forced `CHANGE_FROZEN`: production/hello is frozen until");
    expect(markdown).toMatch(/\| stepping 25% \| \d\d:\d\d:\d\d \| [\dms]+ \| clock: /);
    const { document: report } = await product().cliJson(reportResource, "change", "report", change.id);
    expect(report.passages.at(-1)).toMatchObject({ state: "baking", durationMs: null });
    // Going back is never frozen.
    expect(await product().cli("rollback", "hello")).toMatchObject({ exitCode: 0 });
  });
});

describe("findings", () => {
  it("are told all at once, with severity, remedy and what can be forced; warnings do not stop", async () => {
    await hello.write("odd.yaml", "mainstay.yaml", {
      rollout: { ...UNJUDGED_ROLLOUT, strategy: "blue-green" },
      web: { health: { path: "/healthz", interval: "10s", deadline: "20s" } },
      env: { NEW_VARIABLE: "x" },
    });
    const args = ["deploy", hello.directory, "--file", "odd.yaml", "--check"];
    const { exitCode, stdout, stderr } = await product().cli(...args);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("1 finding speaks"),
    });
    expect(stdout).toContain("error    PREFLIGHT_HEALTH: the health gate of web makes little sense");
    expect(stdout).toContain(
      "warning  PREFLIGHT_ENV: the environment differs from the stable release: NEW_VARIABLE added",
    );
    expect(stdout).toContain("warning  PREFLIGHT_UNGUARDED");
  });
});
