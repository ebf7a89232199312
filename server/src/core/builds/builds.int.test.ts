import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { platformFile } from "@mainstay/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { silentLog } from "../../../../tests/support/log.ts";
import { createTestSealer } from "../../../../tests/support/vault.ts";
import { NO_IMAGES } from "../../../../tests/support/no-images.ts";
import { createMinisignKey } from "../../../../tests/support/minisign.ts";
import { createVirtualClock } from "../../kernel/clock.ts";
import { createEvents } from "../../kernel/events/index.ts";
import { createIds } from "../../kernel/ids.ts";
import { createMetrics } from "../../kernel/metrics.ts";
import { auditStream, createAudit } from "../audit/index.ts";
import { createServices, createSignatures } from "../services/index.ts";
import { createUploads } from "../uploads/index.ts";
import { createBuilds, type BuildRow } from "./index.ts";

const ANN = { actor: { type: "user", id: "usr_ann", name: "ann" }, requestId: null, address: null };
const VAIN = { state: "failed", exitCode: 1, reason: "exit code 1", output: "no" } as const;

const signer = createMinisignKey();
let folder: string;
let database: Awaited<ReturnType<typeof openTestDatabase>>;
let house: ReturnType<typeof buildHouse>;

function buildHouse() {
  const clock = createVirtualClock(Date.parse("2026-11-01T12:00:00Z"));
  const { db } = database;
  const ids = createIds({ clock, random: randomBytes });
  const metrics = createMetrics({ clock, log: silentLog });
  const log = silentLog;
  const events = createEvents({ database, clock, ids, log, metrics, streams: [auditStream], source: "test" });
  const audit = createAudit({ db, clock, ids });
  const config = platformFile.parse({ builds: { atOnce: 2, waiting: 3 } });
  const { uploads: limits } = config;
  const uploads = createUploads({ db, clock, ids, dataDirectory: folder, limits });
  const signatures = createSignatures({ keys: [signer.publicKey], required: false });
  const services = createServices({
    ...{
      db,
      clock,
      ids,
      audit,
      events,
      dataDirectory: folder,
      uploads,
      images: NO_IMAGES,
      limits,
      signatures,
      sealer: createTestSealer(),
    },
  });
  const builds = createBuilds({
    ...{ db, clock, ids, audit, services, dataDirectory: folder, limits: config.builds },
  });
  return { services, builds };
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "builds-"));
  database = await openTestDatabase();
  house = buildHouse();
});
afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

/** Files of a service that is built; different ones for each content. */
async function sourceOf(service: string, content = "1"): Promise<string> {
  const directory = await mkdtemp(path.join(folder, "source-"));
  const file = { service, processes: { w: { command: "x" } }, build: { command: "make" } };
  await writeFile(path.join(directory, "mainstay.yaml"), JSON.stringify(file));
  await writeFile(path.join(directory, "content"), content);
  return directory;
}

const request = (directory: string, more: { rebuild?: boolean; signature?: string } = {}) =>
  house.builds.request({ directory, file: "mainstay.yaml", rebuild: false, ...more }, ANN);
const staged = () => readdir(path.join(folder, "builds"));
const releases = () => house.services.releases({}, { before: null, limit: 10 });

/** As the agent would: the command leaves something beside the source. */
async function make(row: BuildRow): Promise<void> {
  await house.builds.beginDue();
  await writeFile(path.join(house.builds.placeOf(row.id).files, "made"), "of it");
  await house.builds.succeed(row, "done");
}

describe("a build", () => {
  it("gets a copy of the source without what is ignored and without packages", async () => {
    const directory = await sourceOf("shop");
    await writeFile(path.join(directory, ".mainstayignore"), "*.key\n");
    await writeFile(path.join(directory, "private.key"), "");
    await mkdir(path.join(directory, "node_modules/a"), { recursive: true });
    await writeFile(path.join(directory, "node_modules/a/index.js"), "");
    const row = await request(directory);
    const { files } = house.builds.placeOf(row.id);
    expect((await readdir(files)).toSorted()).toEqual([".mainstayignore", "content", "mainstay.yaml"]);
    await writeFile(path.join(directory, ".mainstayignore"), "!node_modules/\n");
    const whole = await request(directory);
    expect(await readdir(house.builds.placeOf(whole.id).files)).toContain("node_modules");
  });

  it("becomes a release of everything it left, which remembers its source", async () => {
    const row = await request(await sourceOf("shop"));
    await make(row);
    const [release] = await releases();
    expect(release).toMatchObject({ build: row.id, source_digest: row.source_digest });
    expect(await readFile(path.join(release?.directory ?? "", "made"), "utf8")).toBe("of it");
    expect(await house.builds.build(row.id)).toMatchObject({
      ...{ state: "succeeded", exit_code: 0, output: "done" },
      ...{ release: release?.id, digest: release?.digest },
    });
  });

  it("is not repeated for the same source, unless that is asked for or its files are gone", async () => {
    const directory = await sourceOf("shop");
    const first = await request(directory);
    await make(first);
    const again = await request(directory);
    expect(again).toMatchObject({ state: "succeeded", reuses: first.id, started_at: null });
    const wish = { digest: first.source_digest, file: "mainstay.yaml", rebuild: false };
    expect(await house.builds.request(wish, ANN)).toMatchObject({ reuses: first.id });
    expect(new Set((await releases()).map((each) => each.digest)).size).toBe(1);
    expect(await request(directory, { rebuild: true })).toMatchObject({ state: "waiting", reuses: null });
    await rm(path.join(folder, "releases"), { recursive: true });
    expect(await request(directory)).toMatchObject({ state: "waiting", reuses: null });
    await expect(house.builds.request(wish, ANN)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("waits while its service is being built, or enough others are", async () => {
    for (const service of ["shop", "shop", "mail"]) await request(await sourceOf(service));
    const refused = request(await sourceOf("api"));
    await expect(refused).rejects.toMatchObject({ code: "BUILD_LIMIT", params: { count: 3 } });
    const running = async () => (await house.builds.running()).map((each) => each.service);
    expect(await house.builds.beginDue()).toBe(true);
    expect(await running()).toEqual(["shop", "mail"]);
    expect(await house.builds.beginDue()).toBe(false);
    const [shop] = await house.builds.running();
    if (shop) await house.builds.fail(shop, VAIN);
    await house.builds.beginDue();
    expect(await running()).toEqual(["shop", "mail"]);
  });

  it("that was ended meanwhile registers nothing, whatever it left", async () => {
    const row = await request(await sourceOf("shop"));
    await house.builds.fail(row, { ...VAIN, state: "stopped" });
    await house.builds.succeed(row, "done");
    expect(await releases()).toEqual([]);
    expect(await house.builds.build(row.id)).toMatchObject({ state: "stopped", output: "no", release: null });
  });

  it("fails when what it left is no release of its service", async () => {
    const row = await request(await sourceOf("shop"));
    const { files } = house.builds.placeOf(row.id);
    await writeFile(path.join(files, "mainstay.yaml"), "service: other\nprocesses: { w: { command: x } }\n");
    await house.builds.succeed(row, "done");
    const { state, reason } = await house.builds.build(row.id);
    expect({ state, reason }).toMatchObject({ state: "failed", reason: expect.stringContaining("of other") });
    expect(await releases()).toEqual([]);
  });

  it("leaves its directory to the sweep, which spares what is needed or runs", async () => {
    const row = await request(await sourceOf("shop"));
    await mkdir(path.join(folder, "builds", "bld_of_a_killed_server"));
    await house.builds.sweep(() => false);
    expect(await staged()).toEqual([row.id]);
    await house.builds.fail(row, VAIN);
    await house.builds.sweep((id) => id === row.id);
    expect(await staged()).toEqual([row.id]);
    await house.builds.sweep(() => false);
    expect(await staged()).toEqual([]);
  });

  it("is vouched for by a signature of its source, which is checked before anything runs", async () => {
    const directory = await sourceOf("shop");
    const wrong = request(directory, { signature: signer.sign("sha256:0\n") });
    await expect(wrong).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
    const { source_digest: digest } = await request(directory);
    const row = await request(directory, { signature: signer.sign(`${digest}\n`) });
    await make(row);
    expect((await releases())[0]).toMatchObject({ build: row.id, signature: expect.any(String) });
  });
});

describe("files with a build step", () => {
  it("are no release as they are, and files without one are not built", async () => {
    const directory = await sourceOf("shop");
    const plain = house.services.registerRelease({ directory, file: "mainstay.yaml" }, ANN);
    await expect(plain).rejects.toMatchObject({ code: "RELEASE_TO_BUILD" });
    await writeFile(path.join(directory, "plain.yaml"), "service: shop\nprocesses: { w: { command: x } }\n");
    const built = house.builds.request({ directory, file: "plain.yaml", rebuild: false }, ANN);
    await expect(built).rejects.toMatchObject({ code: "BUILD_NONE" });
    // The same files under another service file are a source all the same.
    const { digest } = await house.services.registerRelease({ directory, file: "plain.yaml" }, ANN);
    const known = house.services.registerRelease({ digest, file: "mainstay.yaml" }, ANN);
    await expect(known).rejects.toMatchObject({ code: "RELEASE_TO_BUILD" });
  });

  it("are promoted as they were built", async () => {
    const row = await request(await sourceOf("shop"));
    await make(row);
    const [release] = await releases();
    const there = await house.services.promoteRelease(release?.id ?? "", { environment: "staging" }, ANN);
    expect(there).toMatchObject({ digest: release?.digest, build: row.id, environment: "staging" });
  });
});
