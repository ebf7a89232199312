import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { InstanceSpec } from "@mainstay/api";
import { findFreePort } from "../../../tests/support/free-port.ts";
import { HAS_PODMAN, startPodman, type Podman } from "../../../tests/support/podman.ts";
import { startRegistry, type Registry } from "../../../tests/support/registry.ts";
import { createContainerWay, type ContainerWay } from "../containers/container-way.ts";
import { createContainerEngine } from "../containers/engine.ts";
import { createImages, ImageUnavailable, type Images } from "../containers/images.ts";
import { createLog } from "../system/log.ts";
import { isAlive } from "../system/process-table.ts";
import { fleetWith, testGroups, workerSpec } from "../testing/fleet.ts";
import { sampleRouting, startPlatform } from "../testing/platform.ts";
import { waitFor } from "../testing/wait-for.ts";
import type { Fleet } from "./fleet.ts";
import { createOnce } from "./once.ts";
import { createProcessWay } from "./process-way.ts";
import { createUnitWay, hasUnits } from "./unit-way.ts";
import type { Way } from "./way.ts";
import { createWays } from "./ways.ts";

const AGENT = `ways-${process.pid}`;
const log = createLog("test", () => {});
const LIMITED = testGroups(`${AGENT}-limits`).limits.by !== "none";

let podman: Podman;
let registry: Registry;
let containers: ContainerWay;
let images: Images;
let shop = "";

/** Ways of running that have to keep the same promises. */
interface Kind {
  name: string;
  isHere: boolean;
  way(): Way;
  /** What an agent has to be told to run instances this way. */
  agent?(): NonNullable<Parameters<typeof startPlatform>[0]>["agent"];
  /** What there must be before the first test. */
  setUp?(): void;
  /** What stands in an instance's specification besides its command. */
  place(): Partial<InstanceSpec>;
  /** What is told of one that exceeded its memory. Not every engine can say why it was killed. */
  memoryExit: Record<string, unknown>;
}

const HEALTH = { path: "/healthz", intervalMs: 100, timeoutMs: 1000 };
const serving = (isContained: boolean) =>
  isContained
    ? "sh /app.sh"
    : `node -e 'require("http").createServer((_, r) => r.end("ok")).listen(process.env.PORT)'`;
const LIMIT_BYTES = 64 * 1024 ** 2;

const CONTAINER: Kind = {
  name: "a container (Debian's podman, as root; skipped where it is absent)",
  isHere: HAS_PODMAN,
  setUp: useContainers,
  way: () => containers,
  agent: () => ({ containerSocket: podman.socket }),
  place: () => ({ container: { image: shop, port: 8080 } }),
  memoryExit: { code: 137 },
};
/** Where systemd is the first process: tests/systemd.sh runs these. */
const UNIT: Kind = {
  name: "a unit of systemd",
  isHere: true,
  way: () => createUnitWay({ agentId: AGENT, runtimeDirectory: join(directory, "run") }),
  place: () => ({}),
  // With version 2 of control groups systemd tells the cause as well.
  memoryExit: { signal: "SIGKILL" },
};
const PROCESS: Kind = {
  name: "a process",
  isHere: true,
  way: () => createProcessWay({ agentId: AGENT, groups: testGroups(AGENT) }),
  place: () => ({}),
  memoryExit: { cause: "memory", limitBytes: LIMIT_BYTES },
};
const KINDS = [PROCESS, ...(hasUnits() ? [UNIT] : []), CONTAINER];

/** Podman and a registry, for the tests of a block. */
function useContainers(): void {
  beforeAll(async () => {
    [podman, registry] = await Promise.all([startPodman(), startRegistry()]);
    const engine = createContainerEngine(podman.socket);
    images = createImages(engine);
    containers = createContainerWay({ agentId: AGENT, engine, images, log });
    shop = await registry.publish("shop", "1", "version one");
    await images.resolve(shop);
  });
  afterAll(async () => {
    await podman?.stop();
    await registry?.stop();
  });
}

let directory: string;
let fleet: Fleet;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ways-"));
  fleet = fleetWith(AGENT, createWays({ commands: [PROCESS.way()], containers: PROCESS.way() }));
});
afterEach(async () => {
  await fleet.killAll();
  testGroups(AGENT).remove();
  rmSync(directory, { recursive: true });
});

function output(file: "stdout" | "stderr"): string {
  const path = join(directory, "logs", "a", `${file}.log`);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
const seen = () => fleet.get("a")?.observe();
const untilExit = () =>
  waitFor("the end", () => {
    const observed = seen();
    return observed?.lastExit && observed.pid === null ? observed : null;
  });
const untilOutput = (text: string) => waitFor(`"${text}" in the log`, () => output("stdout").includes(text));

describe.each(KINDS)("an instance as $name", ({ isHere, setUp, way, agent, place, memoryExit }) => {
  const here = it.runIf(isHere);
  if (isHere) setUp?.();
  const take = () => fleetWith(AGENT, createWays({ commands: [way()], containers: way() }));
  const spec = (command: string, changes: Partial<InstanceSpec> = {}): InstanceSpec =>
    workerSpec(directory, "a", { command, ...place(), ...changes });

  function start(command: string, changes: Partial<InstanceSpec> = {}): InstanceSpec {
    const wanted = spec(command, changes);
    fleet = take();
    fleet.recover([wanted], []);
    return wanted;
  }

  here("runs with its variables, and what it writes is in its two logs", async () => {
    start(`sh -c 'echo "$GREETING $MAINSTAY_INSTANCE"; echo oh >&2; exec sleep 600'`, {
      env: { GREETING: 'it\'s "quoted" $HOME `x`\nand goes on' },
    });
    await untilOutput("goes on a");
    expect(output("stdout")).toBe('it\'s "quoted" $HOME `x`\nand goes on a\n');
    await waitFor("the other log", () => output("stderr") === "oh\n");
    expect(seen()).toMatchObject({ state: "starting", crashes: 0, lastExit: null });
  });

  here("ends on SIGTERM within its time, and then is really gone", async () => {
    start(`sh -c 'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.05; done'`);
    await untilOutput("up");
    const pid = seen()?.pid ?? 0;
    await fleet.get("a")?.stop();
    expect([isAlive(pid), output("stdout"), seen()?.lastExit?.code]).toEqual([false, "up\nbye\n", 3]);
  });

  here("is killed when it does not end in time", async () => {
    start(`sh -c 'trap "" TERM; echo up; while :; do sleep 0.05; done'`, { stopTimeoutMs: 200 });
    await untilOutput("up");
    const pid = seen()?.pid ?? 0;
    await fleet.get("a")?.stop();
    expect([isAlive(pid), seen()?.state]).toEqual([false, "exited"]);
  });

  here("is started again when it crashes, and tells its exit code", async () => {
    start("sh -c 'echo once more; exit 7'");
    const crashed = await waitFor("the second crash", () => (seen()?.crashes ?? 0) >= 2 && seen());
    expect(crashed?.lastExit).toMatchObject({ code: 7, signal: null });
    expect(output("stdout")).toMatch(/^(once more\n){2,}$/);
  });

  /** What an agent has started that does not live any more: its facts, as it saved them. */
  async function startByAnother(wanted: InstanceSpec, port: number | null = null) {
    const { id, service, command, directory: at, logDirectory, container = null } = wanted;
    const PATH = process.env["PATH"] ?? "";
    const life = await way().launch({
      ...{ id, service, command, directory: at, logDirectory, container, port, resources: null },
      environment: { ...wanted.env, PATH, PORT: String(container?.port ?? port) },
      once: wanted.once !== undefined,
      input: null,
    });
    const { pid, startTicks, handle } = life;
    const startedAt = new Date().toISOString();
    const rest = { port, startedAt, crashes: 0, isReady: true };
    return { life, facts: { id, by: way().name, pid, startTicks, handle, ...rest } };
  }

  here("is taken up by the next agent, with its log and its end", async () => {
    const wanted = spec(`sh -c 'trap "echo two; exit 5" TERM; echo one; while :; do sleep 0.05; done'`);
    const { facts } = await startByAnother(wanted);
    await untilOutput("one");
    fleet = take();
    fleet.recover([wanted], [facts]);
    expect(seen()).toMatchObject({ pid: facts.pid, crashes: 0 });
    await fleet.get("a")?.stop();
    expect(isAlive(facts.pid)).toBe(false);
    // The agent before is not really gone here: it may copy the last line as well.
    expect(output("stdout")).toMatch(/^one\n(two\n){1,2}$/);
  });

  here("keeps its port and stays ready across agents", async () => {
    const wanted = spec(serving(place().container !== undefined), { port: "auto", health: HEALTH });
    const port = findFreePort();
    const { facts } = await startByAnother(wanted, port);
    fleet = take();
    fleet.recover([wanted], [facts]);
    expect(seen()).toMatchObject({ port, state: "ready" });
    await waitFor("three probes", () => (seen()?.passes ?? 0) >= 3);
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect(await answer.text()).toBe("ok");
  });

  here("runs once when it is told so, and an agent that was away learns how it ended", async () => {
    const wanted = spec("sh -c 'echo ran; exit 4'", { once: { timeoutMs: 60_000 }, process: "release" });
    const { life } = await startByAnother(wanted);
    createOnce(wanted.logDirectory).begin();
    await life.exited;
    fleet = take();
    fleet.recover([wanted], []);
    expect((await untilExit()).lastExit).toMatchObject({ code: 4 });
    expect(output("stdout")).toBe("ran\n");
  });

  here("finds what it is given on standard input", async () => {
    const input = join(directory, "input");
    writeFileSync(input, "one\ntwo\n");
    start("sh -c 'while read line; do echo \"got $line\"; done'", {
      ...{ process: "run", once: { timeoutMs: 60_000, input } },
    });
    expect((await untilExit()).lastExit).toMatchObject({ code: 0 });
    expect(output("stdout")).toBe("got one\ngot two\n");
  });

  here(
    "goes on while its agent is killed with kill -9, and is drained and ended by the next one",
    async () => {
      const platform = await startPlatform(agent ? { agent: agent() } : {});
      onTestFinished(async () => void (await platform.stop()));
      const wanted = spec(serving(place().container !== undefined), { port: "auto", health: HEALTH });
      await platform.put({ instances: [wanted], services: [sampleRouting()] });
      const { pid } = await platform.waitForState("a", "ready");
      const before = await platform.client.observed();
      process.kill(await platform.pidOf("agent"), "SIGKILL");
      const after = await waitFor("the next agent", async () => {
        const observed = await platform.client.observed().catch(() => before);
        return observed.bootId === before.bootId ? null : observed;
      });
      expect(after.instances).toMatchObject([{ id: "a", pid, state: "ready", crashes: 0 }]);
      expect(await (await fetch(`${platform.url}/healthz`)).text()).toBe("ok");
      await platform.put({ services: [sampleRouting({ stable: null })] });
      await platform.waitForState("a", "exited");
      expect(isAlive(pid ?? 0)).toBe(false);
    },
  );

  it.runIf(isHere && LIMITED)("is killed when it exceeds its memory", async () => {
    start("sh -c 'exec tail /dev/zero'", { resources: { memoryBytes: LIMIT_BYTES, cpu: 1 } });
    const { lastExit } = await waitFor("the kill", () => ((seen()?.crashes ?? 0) > 0 ? seen() : null));
    expect(lastExit).toMatchObject(memoryExit);
  });

  here("of which nobody knows any more is ended", async () => {
    const { facts } = await startByAnother(spec("sh -c 'trap exit TERM; while :; do sleep 0.05; done'"));
    fleet = take();
    const [stray] = fleet.recover([], [facts]);
    if (stray) await fleet.retireStray(stray, Promise.resolve());
    expect([stray?.id, isAlive(facts.pid)]).toEqual(["a", false]);
  });
});

describe.skipIf(!HAS_PODMAN)("containers", () => {
  if (HAS_PODMAN) useContainers();
  const take = () => fleetWith(AGENT, createWays({ commands: [containers], containers }));

  it("that no agent knows are removed when the next one looks through them", async () => {
    fleet = take();
    fleet.recover(
      [workerSpec(directory, "a", { command: "sleep 600", container: { image: shop, port: 1 } })],
      [],
    );
    await waitFor("it to run", () => seen()?.pid);
    expect(await containers.sweep((id) => id === "a")).toBe(0);
    expect(await containers.sweep(() => false)).toBe(1);
    expect(podman.run("ps", "--all", "--quiet").trim()).toBe("");
  });

  it("tell no secret in their labels or on a command line", async () => {
    fleet = take();
    const env = { TOKEN: "hush-hush" };
    fleet.recover(
      [workerSpec(directory, "a", { command: "sleep 600", env, container: { image: shop, port: 1 } })],
      [],
    );
    await waitFor("it to run", () => seen()?.pid);
    const shown = podman.run("ps", "--no-trunc", "--format", "{{.Labels}} {{.Command}} {{.Names}}");
    expect(shown).toContain("mainstay.instance:a");
    expect(shown).not.toContain("hush-hush");
  });

  it("run on while their engine is away, and their end is seen when it is back", async () => {
    fleet = take();
    const command = "sh -c 'trap \"exit 6\" TERM; echo up; while :; do sleep 0.05; done'";
    fleet.recover([workerSpec(directory, "a", { command, container: { image: shop, port: 1 } })], []);
    await untilOutput("up");
    const pid = seen()?.pid ?? 0;
    await podman.stopService();
    expect([isAlive(pid), seen()?.pid]).toEqual([true, pid]);
    process.kill(pid, "SIGTERM");
    await podman.startService();
    expect((await waitFor("the crash", () => seen()?.crashes === 1 && seen())) || null).toMatchObject({
      lastExit: { code: 6 },
    });
  });

  it("say why an image cannot be had, and which engine does not answer", async () => {
    fleet = take();
    await expect(images.resolve(`${registry.host}/none:1`)).rejects.toThrow(ImageUnavailable);
    const nobody = createImages(createContainerEngine(join(directory, "none.sock")));
    await expect(nobody.resolve(shop)).rejects.toThrow(/nobody answers at .*none\.sock/);
    const wrong = shop.replace(/@.*/, `@sha256:${"0".repeat(64)}`);
    await expect(images.resolve(wrong)).rejects.toThrow(/manifest unknown/);
  });

  it("keep an image that one of them runs", async () => {
    fleet = take();
    fleet.recover(
      [workerSpec(directory, "a", { command: "sleep 600", container: { image: shop, port: 1 } })],
      [],
    );
    await waitFor("it to run", () => seen()?.pid);
    expect(await images.remove([shop])).toEqual([]);
    await fleet.killAll();
    expect(await images.remove([shop])).toEqual([shop]);
    await images.resolve(shop);
  });
});
