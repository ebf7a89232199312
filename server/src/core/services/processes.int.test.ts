import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { platformFile } from "@mainstay/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { silentLog } from "../../../../tests/support/log.ts";
import { createTestSealer } from "../../../../tests/support/vault.ts";
import { NO_IMAGES } from "../../../../tests/support/no-images.ts";
import { createVirtualClock, type VirtualClock } from "../../kernel/clock.ts";
import { createEvents } from "../../kernel/events/index.ts";
import { createIds } from "../../kernel/ids.ts";
import { createMetrics } from "../../kernel/metrics.ts";
import { auditStream, createAudit } from "../audit/index.ts";
import { createUploads, type Uploads } from "../uploads/index.ts";
import {
  createReleaseKind,
  createScaleKind,
  createServices,
  createSettingKind,
  createSignatures,
  gateDeadlineOf,
  taskInputFile,
} from "./index.ts";
import type { Services } from "./services.ts";
import type { ReleaseRow } from "./store.ts";

const ANN = { actor: { type: "user", id: "usr_ann", name: "ann" }, requestId: null, address: null };
const SHOP = { service: "shop", environment: "production" };
const HEALTH = { path: "/healthz" };
const PROCESSES = {
  web: { command: "node web.js", instances: 2, port: "auto", health: HEALTH },
  worker: { command: "node worker.js" },
  scheduler: { command: "node cron.js", singleton: true },
};

let database: Awaited<ReturnType<typeof openTestDatabase>>;
let directory: string;
let services: Services;
let uploads: Uploads;
let clock: VirtualClock;

beforeEach(async () => {
  database = await openTestDatabase();
  directory = await mkdtemp(path.join(tmpdir(), "processes-"));
  clock = createVirtualClock(Date.parse("2026-11-01T12:00:00Z"));
  const ids = createIds({ clock, random: randomBytes });
  const { db } = database;
  const metrics = createMetrics({ clock, log: silentLog });
  const streams = [auditStream];
  const events = createEvents({ database, clock, ids, log: silentLog, metrics, source: "test", streams });
  const audit = createAudit({ db, clock, ids });
  const limits = platformFile.parse({}).uploads;
  uploads = createUploads({ db, clock, ids, dataDirectory: directory, limits });
  const signatures = createSignatures({ keys: [], required: false });
  const images = NO_IMAGES;
  services = createServices({
    ...{ db, clock, ids, audit, events, dataDirectory: directory, uploads, images, limits, signatures },
    sealer: createTestSealer(),
  });
});
afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

async function register(more: Record<string, unknown> = {}): Promise<ReleaseRow> {
  const source = await mkdtemp(path.join(directory, "source-"));
  // JSON is YAML too.
  const file = JSON.stringify({ service: "shop", processes: PROCESSES, ...more });
  await writeFile(path.join(source, "mainstay.yaml"), file);
  return services.registerRelease({ directory: source, file: "mainstay.yaml" }, ANN);
}

const running = async () =>
  (await services.instances())
    .map((each) => `${each.release.slice(-4)} ${each.process} ${each.ordinal}`)
    .toSorted();
const named = (release: ReleaseRow, ...names: string[]) =>
  names.map((name) => `${release.id.slice(-4)} ${name}`);

describe("the instances of two releases", () => {
  it("run beside each other but for singletons, which are handed over and back", async () => {
    const { roster } = services;
    const [old, next] = [await register(), await register()];
    await roster.complete(old, null);
    await roster.start(next, old);
    const both = [
      ...named(old, "web 0", "web 1", "worker 0", "scheduler 0"),
      ...named(next, "web 0", "web 1", "worker 0"),
    ];
    expect(await running()).toEqual(both.toSorted());

    await roster.handOver(old, next);
    await roster.handOver(old, next);
    const singles = async () => (await running()).filter((each) => each.includes("scheduler"));
    expect(await singles()).toEqual(named(next, "scheduler 0"));
    await roster.handOver(next, old);
    expect(await singles()).toEqual(named(old, "scheduler 0"));
    await roster.complete(next, old.id);
    expect(await running()).toEqual(named(next, "web 0", "web 1", "worker 0", "scheduler 0").toSorted());
  });

  it("hand a process over that is a singleton in only one of them", async () => {
    const plain = { ...PROCESSES, scheduler: { command: "node cron.js", instances: 2 } };
    const [old, next] = [await register({ processes: plain }), await register()];
    await services.roster.complete(old, null);
    await services.roster.start(next, old);
    expect(await running()).not.toContain(named(next, "scheduler 0")[0]);
    await services.roster.handOver(old, next);
    expect((await running()).filter((each) => each.includes("scheduler"))).toEqual(
      named(next, "scheduler 0"),
    );
  });
});

describe("a command with standard input", () => {
  const bytes = Buffer.from([0, 1, 10, 255]);
  const inputs = async () => readdir(path.join(directory, "inputs"));

  async function upload(): Promise<string> {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const { id } = await uploads.announce({ sizeBytes: bytes.length, sha256 }, ANN.actor);
    await uploads.append(id, { offsetBytes: 0, content: Readable.from([bytes]) });
    return id;
  }

  it("takes a complete upload over as its file, which goes when the command has ended", async () => {
    const release = await register();
    const wish = { command: "cat", timeoutMs: 1000, input: await upload() };
    const row = await services.tasks.run(release, wish, ANN);
    expect(row.input_bytes).toBe("4");
    expect(await readFile(taskInputFile(directory, row.id))).toEqual(bytes);
    await expect(services.tasks.run(release, wish, ANN)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await services.tasks.finish(row, { state: "succeeded", exitCode: 0, reason: null, output: "" });
    expect(await inputs()).toEqual([]);
  });

  it("whose server died before the command came to be leaves nothing behind for long", async () => {
    const release = await register();
    const row = await services.tasks.run(
      release,
      { command: "cat", timeoutMs: 1000, input: await upload() },
      ANN,
    );
    await writeFile(taskInputFile(directory, "ins_never"), bytes);
    await services.tasks.prune(new Date(0));
    expect((await inputs()).toSorted()).toEqual([row.id, "ins_never"].toSorted());
    await clock.advance(Date.now() + 2 * 3_600_000 - clock.now().getTime());
    await services.tasks.prune(new Date(0));
    expect(await inputs()).toEqual([row.id]);
  });
});

describe("a release command", () => {
  const release = { command: "npm run migrate", compatibility: "expand" };
  const ended = { state: "succeeded", exitCode: 0, reason: null, output: "done" } as const;
  const only = async (change: string) => {
    const [row] = (await services.tasks.ofChange(change)).toReversed();
    if (!row) throw new Error("nothing was run");
    return row;
  };

  it("is begun once for a change, and not again for code whose command succeeded", async () => {
    const row = await register({ release });
    expect(await services.tasks.isReleaseCommandDue(row)).toBe(true);
    await services.tasks.startReleaseCommand("chg_1", row);
    await services.tasks.startReleaseCommand("chg_1", row);
    expect(await services.tasks.running()).toHaveLength(1);
    await services.tasks.finish(await only("chg_1"), ended);
    await services.tasks.finish(await only("chg_1"), { ...ended, state: "failed" });
    expect(await only("chg_1")).toMatchObject({ state: "succeeded", output: "done" });
    expect(await services.tasks.isReleaseCommandDue(row)).toBe(false);
  });

  it("is run again when nobody saw it end, three times at most, each attempt on record", async () => {
    const row = await register({ release });
    await services.tasks.startReleaseCommand("chg_1", row);
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(await only("chg_1")).toMatchObject({ attempt, state: "running" });
      await services.tasks.finish(await only("chg_1"), { ...ended, state: "lost", exitCode: null });
    }
    expect(await services.tasks.running()).toEqual([]);
    expect(await only("chg_1")).toMatchObject({ attempt: 3, state: "lost" });
  });

  it("is remembered for ever, but what it wrote is not", async () => {
    const row = await register({ release });
    await services.tasks.startReleaseCommand("chg_1", row);
    await services.tasks.finish(await only("chg_1"), ended);
    const run = await services.tasks.run(row, { command: "ls", timeoutMs: 1000 }, ANN);
    await services.tasks.finish(run, ended);
    await services.tasks.prune(new Date("2027-01-01"));
    expect(await only("chg_1")).toMatchObject({ state: "succeeded", output: "" });
    expect(await services.tasks.ofService(SHOP, 10)).toHaveLength(1);
  });

  it("of compatibility contract cuts over at once and shuts the way back to older code", async () => {
    const kind = createReleaseKind(services);
    const old = await register();
    await services.settle(SHOP, old.id);
    const next = await register({ release: { ...release, compatibility: "contract" } });
    const prepared = await kind.prepare({ candidate: next.id, immediate: false });
    expect(prepared).toMatchObject({
      judge: null,
      plan: { stages: [{ weight: 10_000 }], keepWarmMs: 0, skips: ["backup"] },
    });
    await services.tasks.startReleaseCommand("chg_1", next);
    const view = {
      ...prepared,
      ...{ id: "chg_1", kind: "release", weight: 0, proven: 0 },
      position: { name: "gating", stage: -1, enteredAtMs: 0, stageStartedAtMs: null, pausedFrom: null },
    } as const;
    expect(await kind.undoBlocked?.(view)).toBeNull();
    await services.tasks.finish(await only("chg_1"), ended);
    expect(await kind.undoBlocked?.(view)).toContain(`${old.id} cannot run`);
    await services.settle(SHOP, next.id);
    const back = kind.prepare({ candidate: old.id, immediate: true });
    await expect(back).rejects.toMatchObject({ code: "RELEASE_BEFORE_MIGRATION" });
    // The same code registered later is somebody's decision.
    const again = await register();
    expect((await kind.prepare({ candidate: again.id, immediate: true })).stable).toBe(next.id);
  });
});

describe("settings", () => {
  const env = (values: Record<string, string | null>) => ({ env: values, secrets: {} });

  it("lie on top of the service file, and are inherited by the next release", async () => {
    await services.settle(SHOP, (await register({ env: { A: "file", B: "file" } })).id);
    const set = await services.settings.derive(SHOP, env({ A: "set", B: null }), ANN);
    expect(set.snapshot.env).toEqual({ A: "set" });
    await services.settle(SHOP, set.id);
    const next = await register({ env: { A: "newer", B: "newer", C: "newer" } });
    expect(next.snapshot.env).toEqual({ A: "set", C: "newer" });
  });

  it("made from a release that no longer serves are refused: nothing is taken back unseen", async () => {
    const kind = createSettingKind(services);
    const base = await register();
    await services.settle(SHOP, base.id);
    const [one, other] = [
      await services.settings.derive(SHOP, env({ A: "1" }), ANN),
      await services.settings.derive(SHOP, env({ B: "1" }), ANN),
    ];
    expect((await kind.prepare({ candidate: one.id, immediate: false })).stable).toBe(base.id);
    await services.settle(SHOP, one.id);
    const late = kind.prepare({ candidate: other.id, immediate: false });
    await expect(late).rejects.toMatchObject({ code: "CHANGE_STALE" });
    expect((await kind.prepare({ candidate: base.id, immediate: true })).stable).toBe(one.id);
  });

  it("keep the values of secrets by version, and those in use however many follow", async () => {
    await services.settle(SHOP, (await register()).id);
    const first = await services.settings.derive(SHOP, { env: {}, secrets: { KEY: "one" } }, ANN);
    await services.settle(SHOP, first.id);
    for (let count = 0; count < 15; count++) {
      await services.settings.derive(SHOP, { env: {}, secrets: { KEY: `value ${count}` } }, ANN);
    }
    expect(await services.secrets.versions(SHOP)).toHaveLength(16);
    await database.pool.query("update services.releases set collected_at = now() where id <> $1", [first.id]);
    await services.settings.derive(SHOP, { env: {}, secrets: { KEY: "last" } }, ANN);
    const numbers = (await services.secrets.versions(SHOP)).map((each) => each.number);
    expect(numbers).toEqual([17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 1]);
    expect(await services.secretsOf(first)).toEqual({ KEY: "one" });
    const redact = await services.createRedactor(first.id);
    expect(redact("the key is one, not three")).toBe("the key is one, not three");
  });
});

describe("scaling", () => {
  const prepare = (candidate: string) =>
    createScaleKind(services, gateDeadlineOf).prepare({ candidate, immediate: false, ...SHOP });

  it("says what there was, so that it can be taken back, and survives the next release", async () => {
    await services.settle(SHOP, (await register()).id);
    expect(await prepare("worker=3,web=4")).toMatchObject({
      target: "production/shop",
      candidate: "web=4,worker=3",
      stable: "web=2,worker=1",
    });
    await services.setScale(SHOP, { web: 4 });
    expect((await prepare("web=1")).stable).toBe("web=4");
    await services.roster.complete(await register(), null);
    expect((await running()).filter((each) => each.includes("web"))).toHaveLength(4);
  });

  it.each([
    ["web=2", "CHANGE_NOTHING_TO_DO"],
    ["web=0", "SCALE_IMPOSSIBLE"],
    ["scheduler=2", "SCALE_IMPOSSIBLE"],
    ["cron=1", "SCALE_IMPOSSIBLE"],
  ])("to %s is refused (%s)", async (candidate, code) => {
    await services.settle(SHOP, (await register()).id);
    await expect(prepare(candidate)).rejects.toMatchObject({ code });
  });

  it("needs something that serves", async () => {
    await expect(prepare("web=2")).rejects.toMatchObject({ code: "SERVICE_NOT_DEPLOYED" });
  });
});
