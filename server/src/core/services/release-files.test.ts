import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { platformFile } from "@mainstay/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createReleaseFiles } from "./release-files.ts";

let folder = "";
let source = "";

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "mainstay-release-"));
  source = path.join(folder, "source");
  await mkdir(path.join(source, "lib"), { recursive: true });
  await writeFile(path.join(source, "server.js"), "serve()");
  await writeFile(path.join(source, "lib", "run.sh"), "#!/bin/sh\n");
  await chmod(path.join(source, "lib", "run.sh"), 0o755);
  await writeFile(path.join(source, "package.json"), '{"version":"1.2.3"}');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const limits = platformFile.parse({}).uploads;
const files = () => createReleaseFiles({ root: path.join(folder, "releases"), limits });

describe("storing a release", () => {
  it("copies the files under their digest, keeps what is executable, and reads the version", async () => {
    await symlink("server.js", path.join(source, "main.js"));
    const stored = await files().store(source);
    expect(stored.version).toBe("1.2.3");
    expect(path.basename(stored.directory)).toBe(stored.digest.replace("sha256:", ""));
    expect(await readFile(path.join(stored.directory, "main.js"), "utf8")).toBe("serve()");
    expect((await stat(path.join(stored.directory, "lib", "run.sh"))).mode & 0o111).not.toBe(0);
    expect(await files().isIntact(stored.directory, stored.digest)).toBe(true);
  });

  it("gives equal directories the same digest whatever their times, and others another one", async () => {
    const first = await files().store(source);
    await writeFile(path.join(source, "server.js"), "serve()");
    expect((await files().store(source)).digest).toBe(first.digest);
    await writeFile(path.join(source, "server.js"), "serve2()");
    expect((await files().store(source)).digest).not.toBe(first.digest);
  });

  it("leaves out the history of version control", async () => {
    const before = await files().store(source);
    await mkdir(path.join(source, ".git"));
    await writeFile(path.join(source, ".git", "HEAD"), "ref");
    expect((await files().store(source)).digest).toBe(before.digest);
  });

  it("makes a damaged copy whole again when the same directory is stored anew", async () => {
    const { directory, digest } = await files().store(source);
    await writeFile(path.join(directory, "server.js"), "tampered");
    expect(await files().isIntact(directory, digest)).toBe(false);
    await files().store(source);
    expect(await files().isIntact(directory, digest)).toBe(true);
  });

  it("notices a changed, an added and a removed file", async () => {
    const { directory, digest } = await files().store(source);
    await writeFile(path.join(directory, "extra.js"), "");
    expect(await files().isIntact(directory, digest)).toBe(false);
    await rm(path.join(directory, "extra.js"));
    expect(await files().isIntact(directory, digest)).toBe(true);
    await rm(path.join(directory, "server.js"));
    expect(await files().isIntact(directory, digest)).toBe(false);
  });

  it.each([
    ["a link to an absolute path", "/etc/passwd"],
    ["a link that climbs out", "../../outside"],
  ])("refuses %s", async (_, target) => {
    await symlink(target, path.join(source, "lib", "link"));
    await expect(files().store(source)).rejects.toMatchObject({ code: "RELEASE_DIRECTORY" });
  });

  it("refuses a relative path, a missing directory and a file", async () => {
    await expect(files().store("source")).rejects.toMatchObject({ code: "RELEASE_DIRECTORY" });
    await expect(files().store(path.join(folder, "none"))).rejects.toThrow(/ENOENT/);
    await expect(files().store(path.join(source, "server.js"))).rejects.toThrow(/not a directory/);
  });
});
