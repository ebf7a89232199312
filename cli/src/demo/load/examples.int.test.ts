import { spawn } from "node:child_process";
import { globSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { parseServiceFile } from "@mainstay/api";
import { expect, onTestFinished, test } from "vitest";

const EXAMPLES = fileURLToPath(new URL("../../../../examples/", import.meta.url));
const HELLO = `${EXAMPLES}hello/`;

test("every service file of the examples is valid", () => {
  const files = globSync("{hello,maildev,mockoon,registry/*}/mainstay*.yaml", { cwd: EXAMPLES });
  expect(files.length).toBeGreaterThanOrEqual(11);
  for (const file of files)
    expect(parseServiceFile(readFileSync(EXAMPLES + file, "utf8"), file).processes.web).toBeDefined();
});

test("both examples carry the same fault injection", () => {
  const copies = globSync("{hello,registry/*}/faults.mjs", { cwd: EXAMPLES });
  expect(new Set(copies.map((file) => readFileSync(EXAMPLES + file, "utf8"))).size).toBe(1);
  expect(copies).toHaveLength(2);
});

test("the versions of the registry differ in nothing but the registry", () => {
  for (const file of ["start.mjs", "config.yaml", "mainstay.yaml"]) {
    const contents = globSync(`registry/*/${file}`, { cwd: EXAMPLES }).map((path) =>
      readFileSync(EXAMPLES + path, "utf8"),
    );
    expect(new Set(contents).size).toBe(1);
  }
});

test("the lock files name no registry and need no install script", () => {
  for (const file of globSync("{maildev,mockoon,registry/*}/package-lock.json", { cwd: EXAMPLES })) {
    const lock = readFileSync(EXAMPLES + file, "utf8");
    expect(lock).not.toMatch(/"resolved"|"hasInstallScript"/);
  }
});

/** A port that nobody uses now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The small service with faults, once it listens or has ended. */
async function startHello(faults: Record<string, string>) {
  const port = await freePort();
  const env = { ...process.env, PORT: String(port), ...faults };
  const child = spawn(process.execPath, ["--import", "./faults.mjs", "server.mjs"], { cwd: HELLO, env });
  onTestFinished(() => void child.kill("SIGKILL"));
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const stderr = text(child.stderr);
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  while (child.exitCode === null && !(await isListening(get))) await new Promise(setImmediate);
  return { child, exit, stderr, get };
}

function isListening(get: (path: string) => Promise<Response>): Promise<boolean> {
  return get("/healthz").then(
    () => true,
    () => false,
  );
}

test("without faults it greets, learns a name, and ends at SIGTERM", async () => {
  const { child, exit, get } = await startHello({});
  const url = (await get("/")).url;
  const put = await fetch(new URL("/name", url), { method: "PUT", body: "Ada" });
  expect([put.status, await (await get("/")).text()]).toEqual([204, "Hello, Ada!\n"]);
  child.kill("SIGTERM");
  expect(await exit).toBe(0);
});

test("a share of the requests is answered 500, health excepted", async () => {
  const { get } = await startHello({ FAULT_ERRORS: "50%" });
  const statuses = await Promise.all(Array.from({ length: 200 }, async () => (await get("/")).status));
  const failed = statuses.filter((status) => status === 500).length;
  expect(failed).toBeGreaterThan(50);
  expect(failed).toBeLessThan(150);
  const health = await Promise.all(Array.from({ length: 50 }, async () => (await get("/healthz")).status));
  expect(new Set(health)).toEqual(new Set([200]));
});

test("an answer takes three times as long as the service works for it, and stays whole", async () => {
  const { get } = await startHello({ FAULT_LATENCY: "3x" });
  const startedAtMs = performance.now();
  expect(await (await get("/")).text()).toBe("Hello, world!\n");
  // The service waits for 5 ms, which timers may undercut by 1 ms.
  expect(performance.now() - startedAtMs).toBeGreaterThan(3 * 4);
});

test("every request leaves a file open, and is answered well", async () => {
  const { child, get } = await startHello({ FAULT_LEAK_FILES: "1" });
  const open = () => readdirSync(`/proc/${child.pid}/fd`).length;
  const before = open();
  for (let request = 0; request < 20; request++) expect((await get("/")).status).toBe(200);
  expect(open()).toBeGreaterThanOrEqual(before + 20);
});

test("a release that is never healthy serves all the same", async () => {
  const { get } = await startHello({ FAULT_NEVER_HEALTHY: "1" });
  expect([(await get("/healthz")).status, (await get("/")).status]).toEqual([503, 200]);
});

test("a crash comes by itself", async () => {
  const { exit } = await startHello({ FAULT_CRASH_AFTER: "50ms" });
  expect(await exit).toBe(1);
});

test("a fault that cannot be read keeps it from starting, and says why", async () => {
  const { exit, stderr } = await startHello({ FAULT_ERRORS: "some" });
  expect(await exit).toBe(1);
  expect(await stderr).toContain('FAULT_ERRORS is "some"; expected something like "5%"');
});
