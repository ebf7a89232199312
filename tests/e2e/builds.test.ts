import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import {
  buildResource,
  changeResource,
  type BuildResource,
  type PlatformResource,
  type ReleaseResource,
} from "@mainstay/api";
import { beforeAll, describe, expect, it } from "vitest";
import { copyHello, type Hello } from "../support/hello.ts";
import { useProduct } from "../support/use-product.ts";
import { releaseServed } from "../support/visitors.ts";
import { waitUntil } from "../support/wait-until.ts";

const product = useProduct();
let hello: Hello;

/** Says what it sees, and makes what the release is to have. */
const MAKE = `
ls -A; env | grep -v ^MAINSTAY_ | sort
mkdir node_modules out && echo "$GREETING" > out/page && echo made > node_modules/made
`;

beforeAll(async () => {
  hello = await copyHello(product().directory);
  const { directory } = hello;
  await writeFile(path.join(directory, "make.sh"), MAKE);
  await writeFile(path.join(directory, ".mainstayignore"), "private.txt\nout/\nvaried.yaml\n");
  await writeFile(path.join(directory, "private.txt"), "not for the server\n");
  await mkdir(path.join(directory, "node_modules"));
  await writeFile(path.join(directory, "node_modules", "local"), "of this laptop\n");
  const secrets = path.join(product().directory, "secrets.env");
  await writeFile(secrets, "SECRET=hush\n");
  await product().cli("secrets", "import", "hello", secrets);
  await describeBuild({ command: "sh make.sh", env: { GREETING: "hi" } });
});

/** Writes the service file with this build step. */
async function describeBuild(build: Record<string, unknown>): Promise<void> {
  const rollout = { strategy: "immediate", keepWarm: "0s" };
  const more = { build, secrets: ["SECRET"], environments: { staging: {} } };
  await hello.write("mainstay.yaml", "mainstay.yaml", { rollout, env: { OF: "the service" }, more });
}

const check = (...args: string[]) => product().cli("deploy", hello.directory, "--check", ...args);
const releases = async () => (await product().api().get<{ items: ReleaseResource[] }>("/releases")).items;
const builds = async () => (await product().api().get<{ items: BuildResource[] }>("/builds")).items;
const staged = () => readdir(path.join(product().dataDirectory, "builds")).catch(() => []);
const untilClean = () => waitUntil("the staging area to be empty", async () => (await staged()).length === 0);

describe("a build step", () => {
  it("makes the release of what the command leaves, and gives it nothing of the service", async () => {
    const { document: change, exitCode } = await product().cliJson(changeResource, "deploy", hello.directory);
    expect({ exitCode, state: change.state }).toMatchObject({ exitCode: 0 });
    const [build] = await builds();
    expect(build).toMatchObject({ state: "succeeded", exitCode: 0, release: change.candidate });
    const said = (build?.output ?? "").split("\n");
    for (const kept of ["private.txt", "node_modules", "out"]) expect(said).not.toContain(kept);
    const variables = said.filter((line) => /^[A-Z_a-z]+=/.test(line)).map((line) => line.split("=")[0]);
    expect(variables.filter((name) => !["OLDPWD", "PWD", "SHLVL", "_"].includes(name ?? ""))).toEqual([
      "GREETING",
      "HOME",
      "PATH",
    ]);
    const [release] = await releases();
    expect(release).toMatchObject({ build: build?.id, sourceDigest: build?.sourceDigest });
    expect((await product().cli("digest", hello.directory)).stdout.trim()).toBe(release?.sourceDigest);
    const stored = path.join(product().dataDirectory, "releases", release?.digest.slice(7) ?? "");
    expect(await readFile(path.join(stored, "out/page"), "utf8")).toBe("hi\n");
    expect(await readdir(path.join(stored, "node_modules"))).toEqual(["made"]);
    expect(await readdir(stored)).not.toContain("private.txt");
    await untilClean();
  });

  it("is not run again for the same source, sent or not, nor by a promotion", async () => {
    const [first] = await releases();
    const again = await check("--upload");
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("nothing to send") });
    expect(again.stdout).toContain(`the same source was built before (${first?.build})`);
    const staging = await check("--environment", "staging");
    expect(staging.stdout).toContain(`the same source was built before (${first?.build})`);
    await product().cli("promote", "hello", "--from", "production", "--to", "staging");
    expect(new Set((await releases()).map((each) => each.digest)).size).toBe(1);
    expect((await builds()).filter((each) => each.reuses === null)).toHaveLength(1);

    const anew = await check("--rebuild", "--upload");
    expect(anew).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/build {5}bld_\w+ {2}built in/),
    });
    const [latest] = await builds();
    expect(latest?.reuses).toBeNull();
    expect(anew.stdout).toContain(`release   ${latest?.release}`);
    const { document } = await product().cliJson(buildResource, "builds", "show", latest?.id ?? "");
    expect(document).toEqual(latest);
  });

  it("that fails, takes too long or too much says why, and leaves nothing behind", async () => {
    const before = (await releases()).map((each) => each.id);
    const served = await releaseServed(product().dataPlaneUrl);
    await describeBuild({ command: "seq 30; echo cannot find module >&2; exit 3" });
    const failed = await check();
    expect(failed).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("failed: exit code 3") });
    expect(failed.stderr).toMatch(/last lines:\n[^]* {2}30\n {2}cannot find module\n {2}→ Nothing was reg/);
    await describeBuild({ command: "sleep 613", timeout: "300ms" });
    expect((await check()).stderr).toContain("it was ended after 300ms, its time limit");
    await describeBuild({ command: "ln -s /etc out" });
    expect((await check()).stderr).toContain("cannot become a release");
    const { resourceLimits } = await product().api().get<PlatformResource>("/platform");
    if (resourceLimits?.by !== "none") {
      await describeBuild({ command: "head -c 200m /dev/zero | tail", memory: "32MiB" });
      expect((await check()).stderr).toContain("it was killed for exceeding 32MiB");
    }
    expect((await releases()).map((each) => each.id)).toEqual(before);
    expect(await releaseServed(product().dataPlaneUrl)).toBe(served);
    await untilClean();
  });

  it("ends with the server that asked for it, and its directory is removed by the next one", async () => {
    const before = await releases();
    await describeBuild({ command: "echo begun; sleep 614" });
    const deploying = product().startCli("deploy", hello.directory, "--check");
    await waitUntil("the build to run", () => deploying.stdout().includes("  begun\n"));
    await product().kill("server");
    const { exitCode, stderr } = await deploying.ended;
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("failed: the server was restarted while it was under way"),
    });
    expect(stderr).toContain("\n  begun\n");
    await untilClean();
    expect((await product().observed()).instances.filter((each) => each.process === "build")).toEqual([]);
    expect(await releases()).toEqual(before);
  });
});
