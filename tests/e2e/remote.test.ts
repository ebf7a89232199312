import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import {
  AppError,
  PIECE_CONTENT_TYPE,
  releaseResource,
  type ReleaseResource,
  type UploadResource,
} from "@mainstay/api";
import { packTar, type TarEntry } from "modern-tar";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommand, type CommandResult } from "../support/command.ts";
import { copyHello, UNJUDGED_ROLLOUT, type Hello } from "../support/hello.ts";
import { startRelay } from "../support/relay.ts";
import { useProduct } from "../support/use-product.ts";
import { releaseServed } from "../support/visitors.ts";

const product = useProduct();
let hello: Hello;

/** The machine of somebody else: a home of its own, and no word about where the server is. */
function laptop(args: string[], input = ""): Promise<CommandResult> {
  const env = { HOME: path.join(product().directory, "laptop"), MAINSTAY_DATA_DIRECTORY: "/nonexistent" };
  return runCommand(args, { env, cwd: product().directory, input });
}

const key = () => product().access().MAINSTAY_TOKEN;
const releases = async () =>
  releaseResource.array().parse((await product().api().get<{ items: unknown }>("/releases")).items);

beforeAll(async () => {
  await mkdir(path.join(product().directory, "laptop"));
  hello = await copyHello(product().directory, "theirs");
  await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: UNJUDGED_ROLLOUT });
  await writeFile(path.join(hello.directory, ".mainstayignore"), "*.log\n");
  await writeFile(path.join(hello.directory, "noise.log"), "not part of it");
  // Larger than a piece, and not to be compressed.
  await writeFile(path.join(hello.directory, "ballast"), randomBytes(3_000_000));
  await symlink("server.mjs", path.join(hello.directory, "link.mjs"));
});

describe("a server elsewhere", () => {
  it("is stored with its key after it was asked, for the eyes of the account alone", async () => {
    const added = await laptop(["remote", "add", "prod", `${product().url}/`, "--use"], `${key()}\n`);
    expect(added).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^prod is Mainstay /) });
    const file = path.join(product().directory, "laptop/.config/mainstay/remotes.json");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ default: "prod" });
    const listed = await laptop(["remote", "list", "--json"]);
    expect(JSON.parse(listed.stdout)).toEqual([{ name: "prod", url: product().url, isDefault: true }]);
    expect((await laptop(["status"])).stdout).toContain("data plane");
  });

  it("is not stored with a wrong key, without one, or when nothing answers", async () => {
    const refusals = [
      await laptop(["remote", "add", "bad", product().url], "mk_wrong"),
      await laptop(["remote", "add", "bad", product().url]),
      await laptop(["remote", "add", "bad", "http://127.0.0.1:1"], key()),
      await laptop(["remote", "add", "local", product().url], key()),
      await laptop(["remote", "add", "bad", "ftp://example.com"], key()),
    ];
    expect(refusals.map((each) => each.exitCode)).toEqual([4, 2, 3, 2, 2]);
    expect((await laptop(["remote", "list"])).stdout).not.toContain("bad");
    expect(await laptop(["status", "--remote", "bad"])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("there is no remote bad"),
    });
  });
});

describe("a deploy over the network", () => {
  it("goes on where it was cut, again and again, and ships what the same directory ships here", async () => {
    const relay = await startRelay({ to: product().url, cutAfterBytes: [300_000, 700_000, 1_000_000] });
    await laptop(["remote", "add", "shaky", relay.url], key());
    const { exitCode, stdout, stderr } = await laptop(["deploy", hello.directory, "--remote", "shaky"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(relay.cuts()).toBe(3);
    expect(stdout).toMatch(/taken up again [3-9] times/);
    await relay.close();

    const [sent] = await releases();
    expect(await releaseServed(product().dataPlaneUrl)).toBe(sent?.id);
    const here = await product().api().post<ReleaseResource>("/releases", { directory: hello.directory });
    expect(here.digest).toBe(sent?.digest);
    const stored = path.join(product().dataDirectory, "releases", here.digest.replace("sha256:", ""));
    expect((await readdir(stored)).includes("noise.log")).toBe(false);
    expect(await readdir(path.join(product().dataDirectory, "uploads"))).toEqual([]);
  });

  it("sends nothing when the server has the files already", async () => {
    const { exitCode, stdout } = await laptop(["deploy", hello.directory, "--remote", "prod", "--check"]);
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("already there"),
    });
  });

  it("refuses a wrong service file and a link that leads outside before it sends anything", async () => {
    const wrong = await copyHello(product().directory, "wrong");
    await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: UNJUDGED_ROLLOUT });
    await writeFile(path.join(wrong.directory, "mainstay.yaml"), "service: 5\n");
    expect((await laptop(["deploy", wrong.directory])).exitCode).toBe(2);
    const outside = await copyHello(product().directory, "outside");
    await symlink("/etc/passwd", path.join(outside.directory, "leak"));
    expect(await laptop(["deploy", outside.directory])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("the link leads outside"),
    });
  });
});

describe("an archive made to do harm", () => {
  async function send(bytes: Uint8Array<ArrayBuffer>, announced = bytes): Promise<string> {
    const api = product().api();
    const sha256 = createHash("sha256").update(announced).digest("hex");
    const { id } = await api.post<UploadResource>("/uploads", { sizeBytes: bytes.length, sha256 });
    await api.attempt(`/uploads/${id}`, {
      method: "PATCH",
      headers: { "content-type": PIECE_CONTENT_TYPE, "upload-offset": "0" },
      body: bytes,
    });
    return id;
  }

  async function tree(): Promise<string[]> {
    const root = product().dataDirectory;
    const names = await Promise.all(
      ["releases", "uploads", "keys"].map((each) => readdir(path.join(root, each), { recursive: true })),
    );
    return [...names.flat(), ...(await readdir(root))].filter((name) => !name.endsWith(".part")).toSorted();
  }

  const file = (name: string): TarEntry => ({ header: { name, size: 1, type: "file" }, body: "x" });
  const link = (name: string, linkname: string): TarEntry => ({
    header: { name, size: 0, type: "symlink", linkname },
  });

  const device: TarEntry = { header: { name: "d", size: 0, type: "block-device" } };

  it.each<[string, TarEntry[], RegExp]>([
    ["climbs out by its name", [file("../keys/mine")], /climbs with "\.\."/],
    ["names an absolute path", [file("/tmp/mainstay-was-here")], /path is absolute/],
    ["links to a secret", [link("key", "../../keys/admin.key")], /leads outside/],
    ["writes through a link", [link("d", "."), link("e", "d/../.."), file("e/x")], /leads outside/],
    ["holds a device", [device], /block-device/],
    ["has no service file", [file("a")], /mainstay\.yaml cannot be read/],
  ])("is refused when it %s, and nothing is written", async (_, entries, why) => {
    const before = await tree();
    const upload = await send(Uint8Array.from(gzipSync(await packTar(entries))));
    const refusal = product().api().post("/releases", { upload });
    await expect(refusal).rejects.toThrow(why);
    expect(await tree()).toEqual(before);
  });

  it("is refused when it is not the announced one, too long, or too large", async () => {
    const bytes = Uint8Array.from(randomBytes(100));
    const other = await send(bytes, Uint8Array.from(randomBytes(100)));
    await expect(product().api().post("/releases", { upload: other })).rejects.toMatchObject({
      code: "UPLOAD_DAMAGED",
    });
    const wish = { sizeBytes: 600 * 1024 ** 2, sha256: "0".repeat(64) };
    await expect(product().api().post("/uploads", wish)).rejects.toMatchObject({ code: "UPLOAD_TOO_LARGE" });
    const { id } = await product()
      .api()
      .post<UploadResource>("/uploads", { sizeBytes: 10, sha256: "1".repeat(64) });
    const tooLong = product()
      .api()
      .attempt(`/uploads/${id}`, {
        method: "PATCH",
        headers: { "content-type": PIECE_CONTENT_TYPE, "upload-offset": "0" },
        body: bytes,
      });
    await expect(tooLong).rejects.toBeInstanceOf(AppError);
  });
});
