import { chmod, mkdir, mkdtemp, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "@mainstay/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeEphemeralClash } from "./ephemeral-ports.ts";
import { runtimeDirectoryFor } from "./runtime-directory.ts";

const uid = process.getuid?.() ?? 0;
let root = "";
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "runtime-")));
  await mkdir(join(root, "data"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const inRoot = () =>
  runtimeDirectoryFor({ dataDirectory: join(root, "data"), env: { XDG_RUNTIME_DIR: root }, uid });

describe("the runtime directory", () => {
  it("stands below XDG_RUNTIME_DIR, closed to other accounts", async () => {
    const path = await inRoot();
    expect(path).toMatch(new RegExp(`^${root}/mainstay-[0-9a-f]{8}$`));
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect(await inRoot()).toBe(path);
  });

  it("differs from one data directory to the next, and not by the way it is reached", async () => {
    const env = { XDG_RUNTIME_DIR: root };
    await symlink(join(root, "data"), join(root, "link"));
    const other = await runtimeDirectoryFor({ dataDirectory: join(root, "other"), env, uid });
    const linked = await runtimeDirectoryFor({ dataDirectory: join(root, "link"), env, uid });
    expect(other).not.toBe(await inRoot());
    expect(linked).toBe(await inRoot());
  });

  it("is elsewhere when XDG_RUNTIME_DIR is another account's or missing", async () => {
    const env = { XDG_RUNTIME_DIR: join(root, "none") };
    const path = await runtimeDirectoryFor({ dataDirectory: join(root, "data"), env, uid });
    await rm(path, { recursive: true });
    expect(path).toMatch(uid === 0 ? /^\/run\/mainstay-[0-9a-f]{8}$/ : /^\/tmp\/mainstay-\d+-[0-9a-f]{8}$/);
  });

  it("is refused when others may look into it, not when they may pass through", async () => {
    const path = await inRoot();
    await chmod(path, 0o755);
    await expect(inRoot()).rejects.toThrow("other accounts may read or write it; its mode must be 0700");
    await chmod(path, 0o711);
    expect(await inRoot()).toBe(path);
  });

  it("is refused when it is a link to somewhere else", async () => {
    const path = await inRoot();
    await rm(path, { recursive: true });
    await symlink(root, path);
    await expect(inRoot()).rejects.toThrow("it is not a directory");
  });

  it("is refused when it belongs to somebody else", async () => {
    const asOther = runtimeDirectoryFor({ dataDirectory: join(root, "data"), env: {}, uid: uid + 1 });
    const refusal: unknown = await asOther.catch((error: unknown) => error);
    if (!(refusal instanceof AppError)) throw new Error("it was not refused");
    await rm(String(refusal.params["path"]), { recursive: true });
    expect(refusal.message).toContain(`it belongs to the account ${uid}`);
  });

  it("is refused when its path is too long for a socket", async () => {
    const long = join(root, "x".repeat(80));
    await mkdir(long);
    const refused = runtimeDirectoryFor({ dataDirectory: root, env: { XDG_RUNTIME_DIR: long }, uid });
    await expect(refused).rejects.toThrow("too long for a socket");
  });
});

describe("the ports of instances", () => {
  const setting = () => join(root, "ip_local_port_range");

  it("must lie outside those of outgoing connections", async () => {
    await writeFile(setting(), "25000\t60999\n");
    const [finding] = await describeEphemeralClash([20_000, 29_999], setting());
    expect(finding?.message).toMatch(/^expected ports outside 25000 to 60999/);
    expect(await describeEphemeralClash([20_000, 24_999], setting())).toEqual([]);
    expect(await describeEphemeralClash([61_000, 65_000], setting())).toEqual([]);
  });

  it("are not checked where the system does not say", async () => {
    expect(await describeEphemeralClash([20_000, 29_999], setting())).toEqual([]);
  });
});
