import { changeResource, releaseResource, type ChangeResource } from "@mainstay/api";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommand, startCommand, type RunningCommand } from "../support/command.ts";
import { statusDocument, changeDocument } from "../support/documents.ts";
import { copyHello, UNJUDGED_ROLLOUT } from "../support/hello.ts";
import { findFreePort } from "../support/free-port.ts";
import { useProduct } from "../support/use-product.ts";
import { waitUntil } from "../support/wait-until.ts";

const product = useProduct();

async function deployHello(): Promise<ChangeResource> {
  const hello = await copyHello(product().directory);
  await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: UNJUDGED_ROLLOUT });
  return (await product().cliJson(changeResource, "deploy", hello.directory)).document;
}

describe("an empty platform", () => {
  it("says what to do first", async () => {
    const expected = {
      status: "No services yet. Ship something: mainstay deploy ./my-service",
      releases: "No releases yet. Ship something: mainstay deploy ./my-service",
      "change list": "No changes yet. Ship something: mainstay deploy ./my-service",
    };
    const told = Object.entries(expected).map(async ([command, words]) => {
      const { exitCode, stdout } = await product().cli(...command.split(" "));
      expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(words) });
    });
    await Promise.all(told);
  });

  it("answers the same as documents with --json, before the command or behind it", async () => {
    const { document } = await product().cliJson(statusDocument, "status");
    expect(document).toMatchObject({
      platform: { agent: "connected", changesActive: 0, lost: {} },
      services: [],
    });
    expect(JSON.parse((await product().cli("releases", "--json")).stdout)).toEqual([]);
    expect(JSON.parse((await product().cli("change", "list", "--json")).stdout)).toEqual([]);
  });
});

describe("exit codes", () => {
  it("are 2 for wrong usage and for a service file that says what it should not", async () => {
    expect(await product().cli("deploy", "--no-such-option")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("unknown option '--no-such-option'"),
    });
    const hello = await copyHello(product().directory, "wrong");
    await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: { keepWarm: "soon" } });
    expect(await product().cli("deploy", hello.directory)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(
        'rollout.keepWarm: expected a duration such as "500ms", "10s" or "1h30m"',
      ),
    });
  });

  const url = `http://127.0.0.1:${findFreePort()}`;
  let unreachable: RunningCommand;
  // A command is patient with a server that restarts; it waits while the other tests run.
  beforeAll(() => void (unreachable = startCommand(["status"], { env: { MAINSTAY_URL: url } })));

  it("is 4 without a key, and with a wrong one, which is not repeated", async () => {
    const { MAINSTAY_URL } = product().access();
    for (const token of ["", "mk_wrong-key"]) {
      const { exitCode, stdout, stderr } = await runCommand(["status"], {
        env: { MAINSTAY_URL, MAINSTAY_TOKEN: token },
      });
      expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: "" });
      expect(stderr).toContain("no valid API key was sent");
      expect(stderr).not.toContain("mk_wrong-key");
    }
  });

  it("is 1 for what does not exist", async () => {
    expect(await product().cli("change", "show", "chg_0")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("change chg_0 does not exist"),
    });
    expect((await product().cli("logs", "nobody")).exitCode).toBe(1);
    expect((await product().cli("rollback", "nobody")).exitCode).toBe(1);
  });

  it("is 3 when no server answers", async () => {
    const { exitCode, stderr } = await unreachable.ended;
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining(`no Mainstay server answers at ${url}`),
    });
  });
});

describe("a service that runs", () => {
  it("is shipped, listed and shown, in words and as documents", async () => {
    const change = await deployHello();
    const words = await product().cli("status");
    expect(words.stdout).toMatch(/hello +production/);
    const { document } = await product().cliJson(statusDocument, "status", "hello");
    expect(document.services[0]?.instances).toMatchObject([{ state: "ready", release: change.candidate }]);
    const shown = await product().cliJson(changeDocument, "change", "show", change.id);
    expect(shown.document.timeline.length).toBeGreaterThan(5);
    const { document: releases } = await product().cliJson(releaseResource.array(), "releases");
    expect(releases.map((each) => each.id)).toContain(change.candidate);
    expect((await product().cli("releases")).stdout).toContain(change.candidate);
  });

  it("tells every step of its next release as a line of JSON with --json --watch", async () => {
    const { stdout } = await product().cli("--json", "deploy", `${product().directory}/hello`, "--watch");
    const lines = stdout.trimEnd().split("\n");
    const items = lines.map(
      (line) => JSON.parse(line) as { change: ChangeResource; entries: { to: string }[] },
    );
    const states = items.flatMap((item) => item.entries.map((entry) => entry.to));
    expect(states.slice(0, 5)).toEqual(["requested", "locked", "preflight", "starting", "gating"]);
    expect(states.at(-1)).toBe("baking");
  });

  it("shows its logs, and goes on with what is written from now on", async () => {
    const { document } = await product().cliJson(statusDocument, "status", "hello");
    const serving = document.services[0]?.instances.at(-1);
    const lines = await product().cli("logs", serving?.id ?? "", "--tail", "5");
    expect(lines).toMatchObject({ exitCode: 0, stdout: `release ${serving?.release} begins\n` });

    const following = product().startCli("logs", serving?.id ?? "", "--follow");
    await waitUntil("what was written before", () => following.stdout().includes("begins"));
    await fetch(`${product().dataPlaneUrl}/log?something-new`);
    await waitUntil("what is written now", () => following.stdout().includes("something-new"));
    following.interrupt();
    await following.ended;
  });
});
