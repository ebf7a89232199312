import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text as readText } from "node:stream/consumers";
import {
  changeResource,
  settingsResource,
  taskResource,
  type TaskResource,
  type ChangeResource,
  type ServiceResource,
} from "@mainstay/api";
import { beforeAll, describe, expect, it } from "vitest";
import { findGaps, statesOf, watchUntil } from "../support/changes.ts";
import { LAUNCHER } from "../support/command.ts";
import { copyHello, SHORT_ROLLOUT, UNJUDGED_ROLLOUT, type Hello } from "../support/hello.ts";
import { lostOf, NOTHING_LOST, underLoad } from "../support/load.ts";
import { useProduct } from "../support/use-product.ts";
import { waitUntil } from "../support/wait-until.ts";

const VALUES = ["tr0ub4dor-and-three", "correct-horse-battery"];

const INPUT_LIMIT_BYTES = 8 * 1024 ** 2;

const product = useProduct({ env: { MAINSTAY_UPLOADS_MAX_SIZE: `${INPUT_LIMIT_BYTES}B` } });
let hello: Hello;

beforeAll(async () => {
  hello = await copyHello(product().directory);
  await hello.write("mainstay.yaml", "mainstay.failing.yaml", {
    rollout: { ...UNJUDGED_ROLLOUT, keepWarm: "1s" },
    env: { FAULT_ERRORS: "0%", COLOUR: "blue" },
    web: { instances: 2 },
  });
  const { document } = await product().cliJson(changeResource, "deploy", hello.directory);
  await ended(document.id);
});

const ended = (id: string) => watchUntil(product(), id, (change) => change.finishedAt !== null);
const service = async () => {
  const { items } = await product().api().get<{ items: ServiceResource[] }>("/services");
  const [first] = items;
  if (!first) throw new Error("there is no service");
  return first;
};
const webs = async () => (await service()).instances.filter((each) => each.process === "web");
const pids = async () => (await webs()).map((each) => each.pid);
const variable = async (name: string) =>
  (await (await fetch(`${product().dataPlaneUrl}/variable?${name}`)).text()).trim();
const latest = async () => {
  const { items } = await product().api().get<{ items: ChangeResource[] }>("/changes?limit=1");
  const [first] = items;
  if (!first) throw new Error("there is no change");
  return first;
};

/** Runs a line of shell in which "$@" is `mainstay`. */
async function shell(line: string) {
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/", ...product().access() };
  const child = spawn("/bin/sh", ["-c", line, "sh", process.execPath, LAUNCHER], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    readText(child.stdout),
    readText(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { exitCode, stdout, stderr };
}

/** Runs `mainstay <args>` with something on standard input. */
async function cliWithInput(input: string, ...args: string[]) {
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/", ...product().access() };
  const child = spawn(process.execPath, [LAUNCHER, ...args], { env, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(input);
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const [exitCode] = (await once(child, "close")) as [number];
  return { exitCode, ...output };
}

describe("scaling", () => {
  it("up and down under load loses nothing, and those that stay never notice", async () => {
    const before = await pids();
    const { load } = await underLoad(product(), async () => {
      const up = await product().cliJson(changeResource, "scale", "hello", "web=4");
      expect(up.document).toMatchObject({
        kind: "scale",
        state: "succeeded",
        candidate: "web=4",
        stable: "web=2",
      });
      expect(await statesOf(product(), up.document.id)).toEqual([
        ...["requested", "locked", "preflight", "starting", "gating", "draining", "succeeded"],
      ]);
      expect(await findGaps(product(), up.document.id)).toEqual([]);
      const grown = await pids();
      expect(grown).toHaveLength(4);
      expect(grown).toEqual(expect.arrayContaining(before));
      const down = await product().cliJson(changeResource, "scale", "hello", "web=1");
      expect(down.document.state).toBe("succeeded");
    });
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    const left = await pids();
    expect(left).toHaveLength(1);
    expect(before).toEqual(expect.arrayContaining(left));
  });

  it("is undone by rolling its change back", async () => {
    const change = await latest();
    expect((await product().cli("rollback", change.id)).exitCode).toBe(0);
    expect(await webs()).toHaveLength(4);
    expect(await latest()).toMatchObject({ kind: "scale", candidate: "web=4", stable: "web=1" });
  });

  it("stays in force for the next release, and is listed beside what its file says", async () => {
    const { document } = await product().cliJson(changeResource, "deploy", hello.directory);
    await ended(document.id);
    expect(await webs()).toHaveLength(4);
    const listed = await product().cli("scale", "hello");
    expect(listed.stdout).toMatch(/web +4 +2/);
    await product().cli("scale", "hello", "web=1");
  });

  it.each([
    { numbers: "web=0", why: "somebody has to" },
    { numbers: "cron=1", why: "its processes are web" },
  ])("to $numbers is refused with the reason", async ({ numbers, why }) => {
    const { exitCode, stderr } = await product().cli("scale", "hello", numbers);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(why) });
  });
});

describe("a variable", () => {
  it("is set by a change of its own kind through the stages, and taken back by rolling back", async () => {
    const set = await product().cliJson(changeResource, "env", "set", "hello", "COLOUR=green", "SIZE=12345");
    expect(set.document).toMatchObject({ kind: "setting", state: "baking" });
    expect(
      (await statesOf(product(), set.document.id)).filter((each) => each.startsWith("stepping")),
    ).toHaveLength(4);
    expect([await variable("COLOUR"), await variable("SIZE")]).toEqual([
      "set, 5 characters",
      "set, 5 characters",
    ]);
    await ended(set.document.id);

    const unset = await product().cliJson(changeResource, "env", "unset", "hello", "COLOUR");
    expect(await variable("COLOUR")).toBe("not set");
    await ended(unset.document.id);
    expect((await product().cli("rollback", "hello")).exitCode).toBe(0);
    expect(await variable("COLOUR")).toBe("set, 5 characters");
    await ended((await latest()).id);
  });

  it("stays in force for the next release", async () => {
    const { document } = await product().cliJson(changeResource, "deploy", hello.directory);
    expect([await variable("COLOUR"), await variable("SIZE")]).toEqual([
      "set, 5 characters",
      "set, 5 characters",
    ]);
    await ended(document.id);
    const { document: listed } = await product().cliJson(settingsResource.shape.env, "env", "list", "hello");
    expect(listed).toContainEqual({ name: "COLOUR", value: "green", isSet: true });
    expect(listed).toContainEqual({ name: "FAULT_ERRORS", value: "0%", isSet: false });
  });

  it("that breaks the service is undone by the judge, and nobody else notices", async () => {
    const stages = [{ weight: "25%", bake: "1s" }, { weight: "100%" }];
    await hello.write("judged.yaml", "mainstay.failing.yaml", {
      rollout: { ...SHORT_ROLLOUT, stages, keepWarm: "1s" },
      env: { FAULT_ERRORS: "0%" },
    });
    const judged = await product().cliJson(
      changeResource,
      ...["deploy", hello.directory, "--file", "judged.yaml", "--immediate"],
    );
    await ended(judged.document.id);
    const { result, load } = await underLoad(product(), () =>
      product().cliJson(changeResource, "env", "set", "hello", "FAULT_ERRORS=20%"),
    );
    expect(result.exitCode).toBe(1);
    expect(result.document).toMatchObject({
      kind: "setting",
      state: "undone",
      evidence: { verdict: "harm" },
    });
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    expect(await findGaps(product(), result.document.id)).toEqual([]);
    const { document: listed } = await product().cliJson(settingsResource.shape.env, "env", "list", "hello");
    expect(listed).toContainEqual({ name: "FAULT_ERRORS", value: "0%", isSet: false });
  });
});

describe("a secret", () => {
  it("comes in on standard input, and undo brings the value before back", async () => {
    await hello.write("quick.yaml", "mainstay.failing.yaml", {
      rollout: { ...UNJUDGED_ROLLOUT, keepWarm: "1s" },
      env: { FAULT_ERRORS: "0%" },
    });
    const quick = await product().cliJson(
      changeResource,
      ...["deploy", hello.directory, "--file", "quick.yaml", "--immediate"],
    );
    await ended(quick.document.id);
    for (const value of VALUES) {
      const set = await cliWithInput(`${value}\n`, "secrets", "set", "hello", "API_KEY");
      expect(set).toMatchObject({ exitCode: 0, stderr: "" });
      expect(await variable("API_KEY")).toBe(`set, ${value.length} characters`);
      await ended((await latest()).id);
    }
    expect((await product().cli("rollback", "hello")).exitCode).toBe(0);
    expect(await variable("API_KEY")).toBe(`set, ${VALUES[0]?.length} characters`);
    await ended((await latest()).id);
  });

  it("is never shown: not listed, not logged, not in an answer, not in a command's output", async () => {
    const { stdout } = await product().cli("secrets", "list", "hello");
    expect(stdout).toMatch(/API_KEY +set/);
    const run = await product().cli("run", "hello", "--", "printenv", "API_KEY");
    expect(run).toMatchObject({ exitCode: 0, stdout: "***\n" });
    const resources = ["/services", "/changes", "/audit?limit=200", "/tasks?service=hello", "/releases"];
    const answers = await Promise.all(resources.map((each) => product().api().get(each)));
    const everything = JSON.stringify(answers) + product().log() + stdout;
    expect(VALUES.filter((value) => everything.includes(value))).toEqual([]);
  });

  it("is refused when its value stands on the command line or is empty", async () => {
    const inline = await cliWithInput("", "secrets", "set", "hello", "API_KEY=hunter22");
    expect(inline.exitCode).toBe(2);
    expect(inline.stderr).not.toContain("hunter22");
    const empty = await cliWithInput("", "secrets", "set", "hello", "API_KEY");
    expect(empty).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("nothing came in") });
  });

  it("may be there before the first release that needs it", async () => {
    const set = await cliWithInput("early-bird", "secrets", "set", "later", "TOKEN");
    expect(set).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("kept for the first release") });
    const list = await product().cli("secrets", "list", "later");
    expect(list.stdout).toMatch(/TOKEN +set +yes/);
    const env = await product().cli("env", "set", "later", "A=1");
    expect(env).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("no release of later serves") });
  });
});

describe("a command run by hand", () => {
  it("finds the release's code and variables, shows its output, and hands its exit code on", async () => {
    const run = await product().cli(
      "run",
      "hello",
      "--",
      "/bin/sh",
      "-c",
      "ls server.mjs; echo $FAULT_ERRORS; exit 7",
    );
    expect(run).toMatchObject({ exitCode: 7, stdout: "server.mjs\n0%\n" });
    expect(run.stderr).toContain("exit code 7");
    const { document } = await product().cliJson(taskResource, "run", "hello", "--", "echo one && echo two");
    expect(document).toMatchObject({ state: "succeeded", exitCode: 0, output: "one\ntwo" });
    const logs = await product().cli("logs", document.id);
    expect(logs.stdout).toBe("one\ntwo\n");
  });

  it("finds on standard input what was piped in, byte for byte and to its end", async () => {
    const file = path.join(product().directory, "input");
    // Every byte there is, zeros and line ends among them, and more than any buffer on the way holds.
    await writeFile(file, randomBytes(5_000_000));
    const sent = createHash("sha256")
      .update(await readFile(file))
      .digest("hex");
    const { stdout, exitCode } = await shell(`cat ${file} | "$@" run hello -- sha256sum`);
    expect({ stdout, exitCode }).toEqual({ stdout: `${sent}  -\n`, exitCode: 0 });
    const fromFile = await shell(`"$@" run hello -- sha256sum < ${file}`);
    expect(fromFile.stdout).toBe(`${sent}  -\n`);
    const { items } = await product().api().get<{ items: TaskResource[] }>("/tasks?service=hello&limit=1");
    expect(items[0]).toMatchObject({ state: "succeeded", inputBytes: 5_000_000 });
    // Nothing of it is kept.
    expect(await readdir(path.join(product().dataDirectory, "inputs"))).toEqual([]);
    expect(await readdir(path.join(product().dataDirectory, "uploads"))).toEqual([]);
  });

  it("finds nothing on standard input when nothing came through the pipe, or when told so", async () => {
    const empty = await shell(': | "$@" run hello -- wc -c');
    expect(empty).toMatchObject({ stdout: "0\n", exitCode: 0 });
    const run = '"$@" run hello --no-stdin -- echo "$word"';
    const loop = `printf "one\\ntwo\\n" | while read -r word; do ${run}; done`;
    expect((await shell(loop)).stdout).toBe("one\ntwo\n");
  });

  it("is told that there is too much, before it starts", async () => {
    const { exitCode, stderr } = await shell(
      `head -c ${INPUT_LIMIT_BYTES + 1} /dev/zero | "$@" run hello -- cat`,
    );
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("uploads.maxSize"),
    });
  });

  it("is ended with everything it started when somebody interrupts it", async () => {
    const running = product().startCli("run", "hello", "--", "echo begun; sleep 618");
    await waitUntil("its output", () => running.stdout().includes("begun"));
    running.interrupt();
    const { exitCode } = await running.ended;
    expect(exitCode).toBe(130);
    const { items } = await product().api().get<{ items: TaskResource[] }>("/tasks?service=hello&limit=1");
    expect(items[0]).toMatchObject({ state: "stopped", output: "begun" });
    await waitUntil("it to be gone", async () =>
      (await product().observed()).instances.every((each) => each.process !== "run"),
    );
  });
});

describe("logs", () => {
  it("are narrowed to an instance, a process, a release and a pattern", async () => {
    const [web] = await webs();
    for (const words of ["order-17", "payment-18"]) await fetch(`${product().dataPlaneUrl}/log?${words}`);
    const some = ["--process", "web", "--instance", web?.id.slice(-6) ?? "", "--release", web?.release ?? ""];
    const { stdout } = await product().cli("logs", "hello", ...some, "--grep", "order-\\d+");
    expect(stdout).toBe("order-17\n");
    const none = await product().cli("logs", "hello", "--process", "worker");
    expect(none).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("no such instance") });
  });
});
