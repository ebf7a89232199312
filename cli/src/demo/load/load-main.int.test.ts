import { spawn } from "node:child_process";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import type { LoadLine, LoadSummary } from "./load-lines.ts";
import type { LoadSettings } from "./load-options.ts";

const MAIN = fileURLToPath(new URL("load-main.ts", import.meta.url));

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The load generator as a process; `onLine` sees its output as it comes. */
async function runMain(
  argument: string,
  onLine: (line: LoadLine, kill: (signal: NodeJS.Signals) => void) => void = () => {},
) {
  const child = spawn(process.execPath, [MAIN, argument], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: LoadLine[] = [];
  createInterface({ input: child.stdout }).on("line", (json) => {
    const line = JSON.parse(json) as LoadLine;
    lines.push(line);
    onLine(line, (signal) => child.kill(signal));
  });
  const exit = new Promise((resolve) => child.once("close", resolve));
  const stderr = await text(child.stderr);
  return { lines, stderr, exitCode: await exit };
}

const settings = (of: LoadSettings) => JSON.stringify(of);
const summaryOf = (lines: LoadLine[]) => lines.find((line): line is LoadSummary => line.type === "summary");

test("a run of a fixed duration sends every request that is due and tells what came of each", async () => {
  let count = 0;
  const url = await serve((request, response) => {
    count += 1;
    request.resume();
    if (request.headers.cookie === undefined)
      response.setHeader("set-cookie", `mainstay_id=u${count}; Path=/`);
    response.setHeader("x-mainstay-release", count % 2 === 0 ? "rel_even" : "rel_odd");
    response.writeHead(count % 20 === 0 ? 500 : 200).end("hello");
  });
  const { lines, exitCode } = await runMain(
    settings({ url, mix: "hello", rps: 200, users: 20, durationMs: 1500 }),
  );

  expect(exitCode).toBe(0);
  expect([lines[0]?.type, lines.at(-1)?.type]).toEqual(["ready", "summary"]);
  expect(lines.reduce((sum, line) => sum + (line.type === "tick" ? line.sent : 0), 0)).toBe(300);
  const summary = summaryOf(lines);
  expect(summary).toMatchObject({ sent: 300, ok: 285, applicationErrors: 15, lost: 0, usersWithCookie: 20 });
  expect(summary?.byRelease).toEqual({
    rel_odd: { answers: 150, applicationErrors: 0 },
    rel_even: { answers: 150, applicationErrors: 15 },
  });
  expect(count).toBe(300);
});

test("SIGTERM ends it in order, with the answers under way", async () => {
  const signalled = Promise.withResolvers<void>();
  const url = await serve((request, response) => {
    request.resume();
    void signalled.promise.then(() => response.end());
  });
  const { lines, exitCode } = await runMain(settings({ url, mix: "hello", rps: 50 }), (line, kill) => {
    if (line.type !== "tick") return;
    kill("SIGTERM");
    signalled.resolve();
  });
  expect(exitCode).toBe(0);
  const summary = summaryOf(lines);
  expect(summary?.sent).toBeGreaterThan(0);
  expect(summary).toMatchObject({ ok: summary?.sent, lost: 0 });
});

test("wrong options end it with exit code 2 and the name of the field", async () => {
  const { stderr, exitCode } = await runMain('{"url":"http://127.0.0.1:1","mix":"shop"}');
  expect(exitCode).toBe(2);
  expect(stderr).toContain("mix:");
});

test("a service that does not take the preparation ends it with exit code 1", async () => {
  const url = await serve((request, response) => {
    request.resume();
    response.writeHead(404).end();
  });
  const { stderr, exitCode } = await runMain(settings({ url, mix: "registry" }));
  expect(exitCode).toBe(1);
  expect(stderr).toContain("PUT /demo-000 ended with status 404");
});
