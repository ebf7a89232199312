import { existsSync } from "node:fs";
import { readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Wishes } from "./installation.ts";
import { readInstalledConfig } from "./installation.ts";
import { DEBIAN_DATABASE_URL, LAYOUT } from "./layout.ts";
import { carryOut, lookAt, takeBack } from "./plan.ts";
import { RUNNING_TREE } from "./program-files.ts";
import { installationSteps } from "./steps.ts";
import { createFakeMachine, type FakeMachine } from "./testing/fake-machine.ts";
import { createSmallTree } from "./testing/small-tree.ts";

let machine: FakeMachine;
let source = "";
beforeEach(async () => {
  machine = await createFakeMachine();
  source = await createSmallTree("1.2.3", path.join(RUNNING_TREE, "deploy/systemd"));
});
afterEach(async () => {
  await machine.remove();
  await rm(source, { recursive: true, force: true });
});

function steps(changed: Partial<Wishes> = {}) {
  const database = { kind: "debian" } as const;
  return installationSteps(machine, {
    source,
    version: "1.2.3",
    trafficPort: 80,
    database,
    hasHaproxy: false,
    ...changed,
  });
}

async function install(changed?: Partial<Wishes>): Promise<string[]> {
  const told: string[] = [];
  await carryOut(steps(changed), (line) => void told.push(line));
  return told;
}

const isDone = async () => (await lookAt(steps())).filter((each) => each.isDone).map(({ step }) => step.id);

describe("the plan of an installation", () => {
  it("looks at a bare machine without altering it", async () => {
    expect(await isDone()).toEqual([]);
    expect(machine.altered).toEqual([]);
    expect(await readdir(machine.path("/"))).toEqual([]);
  });

  it("makes everything, and finds it made the second time", async () => {
    expect(await install()).toHaveLength(steps().length);
    expect(await isDone()).toEqual(steps().map(({ id }) => id));
    const before = machine.altered.length;
    expect(await install()).toEqual([]);
    expect(machine.altered).toHaveLength(before);
  });

  it("does only what is missing", async () => {
    await install();
    await rm(machine.path(LAYOUT.command));
    expect(await install()).toEqual(["done  the command mainstay"]);
  });

  it("copies what runs, with its Node, and leaves out what only tests need", async () => {
    await install();
    const tree = machine.path(LAYOUT.current);
    expect(await readlink(tree)).toBe("1.2.3");
    expect((await readdir(path.join(tree, "node_modules"))).toSorted()).toEqual([
      "@mainstay",
      "inner",
      "outer",
    ]);
    expect(existsSync(path.join(tree, "node_modules/@mainstay/api/package.json"))).toBe(true);
    expect(await readdir(path.join(tree, "cli/src"))).toEqual(["main.ts"]);
    expect((await stat(path.join(tree, "bin/node"))).mode & 0o111).toBe(0o111);
  });

  it("writes a configuration closed to others, and keeps one that is there", async () => {
    await install({ trafficPort: 8081 });
    const file = machine.path(LAYOUT.configFile);
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect(await readInstalledConfig(machine)).toMatchObject({
      dataDirectory: LAYOUT.data,
      proxy: { port: 8081 },
      database: { url: DEBIAN_DATABASE_URL },
    });
    await install({ trafficPort: 9000 });
    expect((await readInstalledConfig(machine))?.proxy.port).toBe(8081);
  });

  it("takes a database of one's own or the embedded one, and leaves Debian's alone", async () => {
    const url = "postgres://me:p%40ss@db.example/x";
    await install({ database: { kind: "url", url } });
    expect((await readInstalledConfig(machine))?.database.url).toBe(url);
    await rm(machine.path(LAYOUT.configFile));
    await install({ database: { kind: "embedded" } });
    expect((await readInstalledConfig(machine))?.database.url).toBe(null);
    expect(machine.altered.filter((line) => /apt-get|createdb/.test(line))).toEqual([]);
  });

  it("gives the socket the address of the configuration, also when that changes later", async () => {
    await install();
    const socket = machine.path(`${LAYOUT.units}/mainstay-agent.socket`);
    expect(await readFile(socket, "utf8")).toContain("ListenStream=0.0.0.0:80\n");
    await writeFile(machine.path(LAYOUT.configFile), 'proxy: { host: "::", port: 8080 }\n');
    expect(await install()).toEqual(["done  systemd units", "done  started"]);
    expect(await readFile(socket, "utf8")).toContain("ListenStream=[::]:8080\n");
  });
});

describe("an installation that fails", () => {
  it("takes back what it did, and nothing that was there before", async () => {
    machine.failing.add("systemctl enable");
    await expect(install()).rejects.toThrow("systemctl enable --now mainstay-agent.socket ended with 1");
    expect(await isDone()).toEqual(["package-postgresql"]);
    machine.failing.clear();
    await install();
    machine.failing.add("systemctl enable");
    await rm(machine.path(LAYOUT.command));
    await expect(install({ hasHaproxy: true })).resolves.toEqual([
      "done  Debian's package haproxy",
      "done  the command mainstay",
    ]);
  });

  it("says which steps could not be taken back, and goes on with the others", async () => {
    await install();
    machine.failing.add("userdel");
    const told: string[] = [];
    expect(await takeBack(steps().toReversed(), (line) => void told.push(line))).toBe(1);
    expect(told).toContain("not taken back  account mainstay: userdel mainstay ended with 1: it is broken");
    expect(await isDone()).toEqual(["package-postgresql", "account"]);
  });
});
