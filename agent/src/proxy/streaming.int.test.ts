import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { waitFor } from "../testing/wait-for.ts";
import { startTestWorker, startUpstream, type TestUpstream, type TestWorker } from "../testing/worker.ts";

const CHUNK = Buffer.alloc(1024 * 1024);
const UPLOAD_CHUNKS = 1024;
/** A worker needs 60 to 90 MB by itself; a body that is kept would add a thousand. */
const MEMORY_LIMIT_BYTES = 250 * 1024 * 1024;

/** The most memory a process ever used (proc(5), VmHWM). */
function peakBytes(pid = 0): number {
  const [, kibibytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kibibytes) * 1024;
}

describe("a proxy worker streams", () => {
  let worker: TestWorker;
  let app: TestUpstream;
  let answering: ServerResponse | null;
  let receivedBytes: number;

  beforeAll(async () => {
    worker = await startTestWorker();
    app = await startUpstream((request, response) => {
      if (request.url === "/upload") {
        request.on("data", (chunk: Buffer) => (receivedBytes += chunk.length));
        return void request.on("end", () => response.end(String(receivedBytes)));
      }
      const type = request.url === "/events" ? "text/event-stream; charset=utf-8" : "text/plain";
      response.writeHead(200, { "content-type": type });
      response.flushHeaders();
      answering = response;
    });
  });
  afterAll(async () => {
    await worker.stop();
    await app.stop();
  });

  let turn = 0;
  async function begin(path: string, drainTimeoutMs = 60_000) {
    turn += 1;
    [answering, receivedBytes] = [null, 0];
    const instance = `ins_${turn}`;
    const connections = { balance: "round-robin", drainTimeoutMs, holdTimeoutMs: 0 } as const;
    await worker.route([{ stable: app.arm("rel_1", instance), connections }]);
    const outgoing = httpRequest(`${worker.url}${path}`, { agent: false }).end();
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    let heard = "";
    response.setEncoding("utf8").on("data", (text) => (heard += text));
    const over = new Promise<string>((resolve) => {
      response.on("end", () => resolve("ended"));
      response.on("error", () => resolve("cut"));
    });
    const replace = () => worker.route([{ stable: app.arm("rel_1", `${instance}_next`) }], [instance]);
    return { instance, replace, over, heard: () => heard };
  }

  it("each event before the next is sent", async () => {
    const { heard, over } = await begin("/events");
    for (const event of ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"]) {
      const before = heard();
      answering?.write(event);
      await waitFor("the event", () => heard() === before + event);
    }
    answering?.end();
    expect(await over).toBe("ended");
  });

  it("each part of a body before the next is sent", async () => {
    receivedBytes = 0;
    await worker.route([{ stable: app.arm("rel_1") }]);
    const outgoing = httpRequest(`${worker.url}/upload`, { agent: false, method: "POST" });
    for (let sent = 1; sent <= 3; sent += 1) {
      outgoing.write("x");
      await waitFor("the part", () => receivedBytes === sent);
    }
    outgoing.end();
    await once(outgoing, "response");
  });

  it("a body of a gibibyte without keeping it", async () => {
    receivedBytes = 0;
    await worker.route([{ stable: app.arm("rel_1") }]);
    const headers = { "content-length": UPLOAD_CHUNKS * CHUNK.length };
    const outgoing = httpRequest(`${worker.url}/upload`, { agent: false, method: "POST", headers });
    for (let sent = 0; sent < UPLOAD_CHUNKS; sent += 1) {
      if (!outgoing.write(CHUNK)) await once(outgoing, "drain");
    }
    outgoing.end();
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    response.resume();
    expect(receivedBytes).toBe(UPLOAD_CHUNKS * CHUNK.length);
    const peak = peakBytes(worker.process().pid);
    process.stdout.write(`1 GiB passed through a worker of at most ${Math.round(peak / 1e6)} MB\n`);
    expect(peak).toBeLessThan(MEMORY_LIMIT_BYTES);
  });

  it("events of an instance being replaced until their time is over, then ends them in order", async () => {
    const { instance, replace, over, heard } = await begin("/events", 400);
    await replace();
    expect((await worker.status()).streams).toEqual({ [instance]: 1 });
    answering?.write("data: still here\n\n");
    expect(await over).toBe("ended");
    expect(heard()).toBe("data: still here\n\n");
    const { sentAway, lost, arms } = await worker.counters();
    expect([sentAway, lost]).toEqual([{ event_stream: 1 }, {}]);
    expect(arms[0]?.errors.reduce((sum, each) => sum + each)).toBe(0);
    await waitFor("the instance to be left", async () => !(instance in (await worker.status()).instances));
  });

  it("any other answer to its end: half of it would be worth nothing", async () => {
    const download = await begin("/download", 0);
    const sending = answering;
    const events = httpRequest(`${worker.url}/events`, { agent: false }).end();
    const [stream] = (await once(events, "response")) as [IncomingMessage];
    sending?.write("first half, ");
    await waitFor("the first half", () => download.heard() !== "");
    await download.replace();
    await once(stream.resume(), "end");
    sending?.end("second half");
    expect(await download.over).toBe("ended");
    expect(download.heard()).toBe("first half, second half");
    const { instance } = download;
    await waitFor("the instance to be left", async () => !(instance in (await worker.status()).instances));
  });
});
