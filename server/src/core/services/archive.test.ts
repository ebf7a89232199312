import { createWriteStream } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { packTar, type TarEntry } from "modern-tar";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packRelease } from "./archive-pack.ts";
import { unpackArchive } from "./archive-unpack.ts";
import { digestOf } from "./domain/digest.ts";
import { readSourceTree, readTree } from "./release-tree.ts";

const MIB = 1024 ** 2;
const LIMITS = { maxUnpackedSize: 64 * MIB, maxFiles: 20, maxRatio: 100 };

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "mainstay-archive-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function writeTree(files: Record<string, string>): Promise<string> {
  const root = path.join(folder, "source");
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
  return root;
}

async function packTo(root: string, name: string): Promise<string> {
  const archive = path.join(folder, name);
  await pipeline(packRelease(root, await readSourceTree(root)), createWriteStream(archive));
  return archive;
}

describe("the archive of a directory", () => {
  it("unpacks to the same digest, with its links and its executables", async () => {
    const root = await writeTree({ "server.js": "serve()", "lib/run.sh": "#!/bin/sh\n", empty: "" });
    await chmod(path.join(root, "lib/run.sh"), 0o4755);
    await symlink("lib/run.sh", path.join(root, "run"));
    await unpackArchive(await packTo(root, "a.tgz"), path.join(folder, "out"), LIMITS);
    const [before, after] = [await readSourceTree(root), await readTree(path.join(folder, "out"))];
    expect(after).toEqual(before);
    expect(digestOf(after)).toBe(digestOf(before));
  });

  it("is the same bytes whoever packs it when", async () => {
    const root = await writeTree({ "b.js": "2", "a.js": "1" });
    const first = await buffer(packRelease(root, await readSourceTree(root)));
    await utimes(path.join(root, "a.js"), 1, 1);
    await chmod(path.join(root, "b.js"), 0o600);
    expect(await buffer(packRelease(root, await readSourceTree(root)))).toEqual(first);
  });

  it("leaves out what .mainstayignore names, and what never belongs to a release", async () => {
    const root = await writeTree({
      ".mainstayignore": "*.log\n!keep.log\n/build/\n",
      "keep.log": "",
      "other.log": "",
      "build/x.js": "",
      "lib/build/x.js": "",
      "node_modules/.cache/x": "",
      "node_modules/a/index.js": "",
      ".git/HEAD": "",
    });
    const paths = (await readSourceTree(root)).map((each) => each.path);
    expect(paths).toEqual([...[".mainstayignore", "keep.log", "lib/build/x.js", "node_modules/a/index.js"]]);
  });

  it("keeps every name and content there can be", async () => {
    const part = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 60 })
      .filter((text) => /^[^/\0.]+$/u.test(text) && Buffer.byteLength(text) <= 255);
    const name = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => `d/${parts.join("/")}/f`);
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, fc.string(), { maxKeys: 4 }), async (files) => {
        await rm(path.join(folder, "source"), { recursive: true, force: true });
        const root = await writeTree({ always: "", ...files });
        await unpackArchive(await packTo(root, "a.tgz"), path.join(folder, "out"), LIMITS);
        expect(await readTree(path.join(folder, "out"))).toEqual(await readSourceTree(root));
      }),
      { numRuns: 30 },
    );
  });
});

describe("an archive made to do harm", () => {
  const file = (name: string, body = "x"): TarEntry => ({
    header: { name, size: body.length, type: "file" },
    body,
  });
  const link = (name: string, linkname: string, type: "symlink" | "link" = "symlink"): TarEntry => ({
    header: { name, size: 0, type, linkname },
  });
  const special = (type: "fifo" | "character-device" | "block-device"): TarEntry => ({
    header: { name: "d", size: 0, type },
  });

  async function refusalOf(bytes: Uint8Array): Promise<{ message: string; left: string[] }> {
    const archive = path.join(folder, "bad.tgz");
    await writeFile(archive, bytes);
    const unpacked = unpackArchive(archive, path.join(folder, "deep/out"), LIMITS);
    const error = await unpacked.then(
      () => ({ code: "none", message: "it was accepted" }),
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: "ARCHIVE_REFUSED" });
    const left = (await readdir(folder, { recursive: true })).filter(
      (name) => name !== "bad.tgz" && name !== "deep",
    );
    return { message: String(error instanceof Error && error.message), left };
  }

  it.each([
    ["an absolute path", [file("/etc/cron.d/x")], /absolute/],
    ["a path that climbs", [file("a/../../x")], /climbs/],
    ["a link to an absolute path", [link("a", "/etc/passwd")], /leads outside/],
    ["a link that climbs out", [link("a/b", "../../x")], /leads outside/],
    ["a link that climbs out through another one", [link("d", "."), link("l", "d/../x")], /leads outside/],
    ["a file below a link", [link("d", "e"), file("d/x")], /d is a link/],
    ["a link above a file", [file("d/x"), link("d", "e")], /there twice/],
    ["a file below a file", [file("d"), file("d/x")], /d is a file/],
    ["a name twice", [file("x"), file("./x")], /twice/],
    ["a hard link", [link("a", "b", "link")], /hard link/],
    ["a pipe", [special("fifo")], /fifo/],
    ["a device", [special("character-device")], /character-device/],
    ["a disk", [special("block-device")], /block-device/],
    [
      "more files than there may be",
      Array.from({ length: 21 }, (_, at) => file(`f${at}`)),
      /more than 20 files/,
    ],
    ["a name too long for any disk", [file(`a/${"x".repeat(256)}`)], /longer than 255/],
  ])("is refused for %s, and nothing is left of it", async (_, entries, why) => {
    const { message, left } = await refusalOf(gzipSync(await packTar([file("first"), ...entries])));
    expect(message).toMatch(why);
    expect(left).toEqual([]);
  });

  it.each([
    ["larger unpacked than it may be", 65 * MIB, 10_000, /more than 67108864 bytes/],
    ["a hundred times larger than its archive", 20 * MIB, 100, /more than 100 times/],
  ])("is refused when it is %s", async (_, sizeBytes, maxRatio, why) => {
    const bytes = gzipSync(await packTar([file("zeros", "\0".repeat(sizeBytes))]));
    const archive = path.join(folder, "bomb.tgz");
    await writeFile(archive, bytes);
    const unpacked = unpackArchive(archive, path.join(folder, "out"), { ...LIMITS, maxRatio });
    await expect(unpacked).rejects.toThrow(why);
    expect(await readdir(folder)).toEqual(["bomb.tgz"]);
  });

  it("is refused when it is no archive, cut off, or altered", async () => {
    const tar = await packTar([file("a", "content")]);
    const altered = Uint8Array.from(tar);
    altered[0] = 98;
    for (const bytes of [
      Buffer.from("hello"),
      gzipSync(tar).subarray(0, 40),
      gzipSync(altered),
      gzipSync("hello"),
    ]) {
      expect((await refusalOf(bytes)).left).toEqual([]);
    }
  });
});
