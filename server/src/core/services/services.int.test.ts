import { createHash, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { platformFile } from "@mainstay/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { createMinisignKey } from "../../../../tests/support/minisign.ts";
import { silentLog } from "../../../../tests/support/log.ts";
import { createVirtualClock } from "../../kernel/clock.ts";
import { createEvents } from "../../kernel/events/index.ts";
import { createIds } from "../../kernel/ids.ts";
import { createMetrics } from "../../kernel/metrics.ts";
import { auditStream, createAudit } from "../audit/index.ts";
import { createUploads } from "../uploads/index.ts";
import { packRelease } from "./archive-pack.ts";
import { readSourceTree } from "./release-tree.ts";
import type { Origin } from "../../kernel/http/index.ts";
import { createSignatures } from "./signatures.ts";
import { createServices, type Services } from "./services.ts";

const ANN: Origin = { actor: { type: "user", id: "usr_ann", name: "ann" }, requestId: null, address: null };
const TARGET = { service: "shop", environment: "production" };

/** Every image is there, under a digest made of its tag; what is removed is remembered. */
function createFakeImages() {
  const removed: string[] = [];
  return {
    removed,
    resolve: async (image: string) => image.replace(":", "@sha256:"),
    async remove(images: readonly string[]) {
      removed.push(...images);
      return [...images];
    },
  };
}

let folder = "";
let source = "";
let database: Awaited<ReturnType<typeof openTestDatabase>>;
let house: ReturnType<typeof build>;

const signer = createMinisignKey();

function build() {
  const clock = createVirtualClock(Date.parse("2026-11-01T12:00:00Z"));
  const { db } = database;
  const ids = createIds({ clock, random: randomBytes });
  const metrics = createMetrics({ clock, log: silentLog });
  const events = createEvents({
    database,
    clock,
    ids,
    log: silentLog,
    metrics,
    streams: [auditStream],
    source: "test",
  });
  const audit = createAudit({ db, clock, ids });
  const limits = platformFile.parse({}).uploads;
  const uploads = createUploads({ db, clock, ids, dataDirectory: folder, limits });
  const signatures = createSignatures({ keys: [signer.publicKey], required: false });
  const images = createFakeImages();
  const services = createServices({
    ...{ db, clock, ids, audit, events, dataDirectory: folder, uploads, images, limits, signatures },
  });
  return { services, uploads, audit, images };
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "mainstay-services-"));
  source = path.join(folder, "source");
  await mkdir(source);
  await writeFile(
    path.join(source, "mainstay.yaml"),
    "service: shop\nprocesses: { worker: { command: 'true' } }\n",
  );
  database = await openTestDatabase();
  house = build();
});
afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

/** Registers the directory with other content than ever before. */
async function register(content: string): Promise<Awaited<ReturnType<Services["registerRelease"]>>> {
  await writeFile(path.join(source, "content"), content);
  return house.services.registerRelease({ directory: source, file: "mainstay.yaml" }, ANN);
}

const storedDigests = async () =>
  (await readdir(path.join(folder, "releases"))).map((name) => `sha256:${name}`).toSorted();
const nobody = async () => [];

describe("a signature", () => {
  const wish = { file: "mainstay.yaml" };

  it("is kept with the release whose files it stands for, and goes along where they go", async () => {
    const { digest } = await register("v1");
    const signature = signer.sign(`${digest}\n`);
    const signed = await house.services.registerRelease({ ...wish, directory: source, signature }, ANN);
    expect(signed.signature).toBe(signature);
    const there = await house.services.promoteRelease(signed.id, { environment: "staging" }, ANN);
    expect(there).toMatchObject({ environment: "staging", signature });
  });

  it.each([
    ["of other files", () => signer.sign("sha256:0\n"), "made for something else"],
    ["of a stranger", () => createMinisignKey().sign("sha256:0\n"), "made for something else"],
    ["that is none", () => "hello", "not the text of a .minisig file"],
  ])("%s is refused, and nothing is registered", async (_, sign, reason) => {
    const wrong = house.services.registerRelease({ ...wish, directory: source, signature: sign() }, ANN);
    await expect(wrong).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
    await expect(wrong).rejects.toThrow(reason);
    expect(await house.services.releases({}, { before: null, limit: 10 })).toEqual([]);
  });
});

describe("an archive that was uploaded", () => {
  async function upload(): Promise<string> {
    const archive = path.join(folder, "archive");
    await pipeline(packRelease(source, await readSourceTree(source)), createWriteStream(archive));
    const bytes = await readFile(archive);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const { id } = await house.uploads.announce({ sizeBytes: bytes.length, sha256 }, ANN.actor);
    await house.uploads.append(id, {
      offsetBytes: 0,
      content: (async function* () {
        yield bytes;
      })(),
    });
    return id;
  }

  it("becomes the same release as its directory, once", async () => {
    const id = await upload();
    const sent = await house.services.registerRelease({ upload: id, file: "mainstay.yaml" }, ANN);
    expect(sent.digest).toBe(
      (await house.services.registerRelease({ directory: source, file: "mainstay.yaml" }, ANN)).digest,
    );
    const again = house.services.registerRelease({ upload: id, file: "mainstay.yaml" }, ANN);
    await expect(again).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("stays for another try when its service file is wrong, and names no path of the server", async () => {
    const id = await upload();
    const wrong = house.services.registerRelease({ upload: id, file: "other.yaml" }, ANN);
    await expect(wrong).rejects.toThrow("other.yaml cannot be read: ENOENT");
    const outside = house.services.registerRelease({ upload: id, file: "../../keys/admin.key" }, ANN);
    await expect(outside).rejects.toThrow("it lies outside of the directory");
    expect((await house.services.registerRelease({ upload: id, file: "mainstay.yaml" }, ANN)).service).toBe(
      "shop",
    );
  });

  it("need not be sent when the files are there, and must be when they are not", async () => {
    const { digest } = await register("1");
    const known = await house.services.registerRelease(
      { digest, file: "mainstay.yaml", env: { A: "1" } },
      ANN,
    );
    expect(known).toMatchObject({ digest, snapshot: { env: { A: "1" } } });
    const unknown = { digest: `sha256:${"0".repeat(64)}`, file: "mainstay.yaml" };
    await expect(house.services.registerRelease(unknown, ANN)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("making room", () => {
  it("removes what nobody needs, says what that freed, and keeps the release in the history", async () => {
    const [first, second, third] = [
      await register("a".repeat(5000)),
      await register("2"),
      await register("3"),
    ];
    const wish = { referenced: nobody, keepNewest: 1 };
    const dry = await house.services.collect({ ...wish, dryRun: true }, ANN);
    expect(dry.removed.map((each) => each.id)).toEqual([first.id, second.id]);
    expect((await storedDigests()).length).toBe(3);

    const done = await house.services.collect({ ...wish, dryRun: false }, ANN);
    expect(done).toMatchObject({ kept: 1, freedBytes: dry.freedBytes });
    expect(done.freedBytes).toBeGreaterThan(5000);
    expect(await storedDigests()).toEqual([third.digest]);
    expect((await house.services.release(first.id)).collected_at).not.toBeNull();
    await expect(house.services.verifyRelease(await house.services.release(first.id))).rejects.toMatchObject({
      code: "RELEASE_COLLECTED",
    });
    const { entries } = await house.audit.list();
    const collected = entries.filter((each) => each.action === "services.release_collected");
    expect(collected.map((each) => each.resource.id).toSorted()).toEqual([first.id, second.id]);
  });

  it("never touches what serves, what is on trial, what has instances, or what a change names", async () => {
    const rows = [
      await register("1"),
      await register("2"),
      await register("3"),
      await register("4"),
      await register("5"),
    ];
    const [stable, candidate, running, named] = rows;
    if (!stable || !candidate || !running || !named) throw new Error("five releases were registered");
    await house.services.settle(TARGET, stable.id);
    await house.services.weigh(TARGET, { change: "chg_1", candidate: candidate.id, weight: 1000, proven: 0 });
    await house.services.roster.start(running, null);
    const wish = { referenced: async () => [named.id], keepNewest: 1, dryRun: false };
    expect(await house.services.collect(wish, ANN)).toMatchObject({ removed: [], freedBytes: 0 });
    expect(await storedDigests()).toEqual(rows.map((each) => each.digest).toSorted());
  });

  it("lets go of a release that came into use while it was at it", async () => {
    const first = await register("1");
    await register("2");
    let asked = 0;
    const referenced = async () => (asked++ === 0 ? [] : [first.id]);
    const done = await house.services.collect({ referenced, keepNewest: 1, dryRun: false }, ANN);
    expect(done.removed).toEqual([]);
    await house.services.verifyRelease(first);
  });

  it("leaves files that another release shares, and directories that it does not know", async () => {
    const first = await register("same");
    await register("other");
    const third = await register("same");
    await mkdir(path.join(folder, "releases", "somebody-elses"));
    await mkdir(path.join(folder, "releases", "cut-off.incomplete"));
    await house.services.collect({ referenced: nobody, keepNewest: 1, dryRun: false }, ANN);
    expect(await storedDigests()).toEqual([third.digest, "sha256:somebody-elses"].toSorted());
    expect((await house.services.release(first.id)).collected_at).not.toBeNull();
    await house.services.verifyRelease(third);
  });

  it("removes the images of releases that lose their files, but none that another release has", async () => {
    const rows = [];
    for (const [tag, content] of ["1", "2", "1", "3"].entries()) {
      await writeFile(path.join(source, "content"), `${tag}`);
      await writeFile(
        path.join(source, "mainstay.yaml"),
        `service: shop\nprocesses: { web: { image: "shop:${content}" } }\n`,
      );
      rows.push(await house.services.registerRelease({ directory: source, file: "mainstay.yaml" }, ANN));
    }
    expect(rows[1]?.snapshot.processes["web"]?.image).toBe("shop@sha256:2");
    await house.services.collect({ referenced: nobody, keepNewest: 2, dryRun: true }, ANN);
    expect(house.images.removed).toEqual([]);
    await house.services.collect({ referenced: nobody, keepNewest: 2, dryRun: false }, ANN);
    expect(house.images.removed).toEqual(["shop@sha256:2"]);
  });

  it("gives a release its files back when the same directory is registered again", async () => {
    const first = await register("1");
    await register("2");
    await house.services.collect({ referenced: nobody, keepNewest: 1, dryRun: false }, ANN);
    const again = await register("1");
    expect(again.digest).toBe(first.digest);
    await house.services.verifyRelease(again);
  });
});

describe("what a release is made of", () => {
  const lock = (version: string) => JSON.stringify({ packages: { "node_modules/a": { version } } });

  it("is kept with it, and compared with another", async () => {
    const bare = await register("0");
    await expect(house.services.sbom(bare.id)).rejects.toMatchObject({ code: "RELEASE_WITHOUT_SBOM" });
    await writeFile(path.join(source, "package-lock.json"), lock("1.0.0"));
    const first = await register("1");
    await writeFile(path.join(source, "package-lock.json"), lock("2.0.0"));
    const second = await register("2");
    expect((await house.services.sbom(first.id)).components).toMatchObject([{ name: "a", version: "1.0.0" }]);
    expect(await house.services.diff(first.id, second.id)).toMatchObject({
      components: { changed: [{ name: "a", from: ["1.0.0"], to: ["2.0.0"] }] },
      files: { added: 0, removed: 0, changed: 2, unchanged: 1 },
    });
    await house.services.collect({ referenced: nobody, keepNewest: 1, dryRun: false }, ANN);
    expect(await house.services.diff(first.id, second.id)).toMatchObject({
      components: { changed: [{ name: "a" }] },
      files: null,
    });
  });
});
