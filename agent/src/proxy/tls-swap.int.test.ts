import { once } from "node:events";
import { Agent } from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSelfSigned } from "../system/self-signed.ts";
import { askTls } from "../testing/tls-client.ts";
import { startTlsLoad } from "../testing/tls-load.ts";
import { startTestWorker, startUpstream, type TestUpstream, type TestWorker } from "../testing/worker.ts";

const HOST = "shop.example.com";

/** A certificate whose second name tells it from the ones before. */
function certificate(name: string) {
  const hosts = [HOST, `${name}.example.com`];
  return { hosts, ...createSelfSigned({ hosts, from: new Date(), days: 1 }) };
}

describe("a proxy worker under load over TLS", () => {
  let worker: TestWorker;
  let upstream: TestUpstream;
  beforeAll(async () => {
    upstream = await startUpstream((_, response) => void response.end("ok"));
    worker = await startTestWorker();
    await worker.route([{ stable: upstream.arm("rel_1") }]);
    await worker.https({ certificates: [certificate("first")] });
  });
  afterAll(async () => {
    await worker.stop();
    await upstream.stop();
  });

  it("swaps certificates without losing a request or a connection", async () => {
    const load = startTlsLoad(worker.tlsPort, HOST);
    for (let swap = 0; swap < 20; swap += 1) {
      await worker.https({ certificates: [certificate(`swap-${swap}`)], ticketKey: ticketKey(swap) });
      await load.more(60);
    }
    const { requests, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(requests).toBeGreaterThanOrEqual(20 * 60);
    expect(load.handshakes.size).toBeGreaterThanOrEqual(20);
  });

  it("lets an open connection keep the certificate it was opened with", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = () => askTls({ port: worker.tlsPort, host: HOST, agent });
    const before = await ask();
    await worker.https({ certificates: [certificate("next")] });
    const after = await ask();
    agent.destroy();
    expect(after.localPort).toBe(before.localPort);
    expect((await askTls({ port: worker.tlsPort, host: HOST })).names).toContain("next.example.com");
  });

  it("is replaced without losing a request", async () => {
    const load = startTlsLoad(worker.tlsPort, HOST);
    for (let turn = 0; turn < 3; turn += 1) {
      await load.more(200);
      const exit = once(worker.process(), "exit");
      worker.process().kill("SIGTERM");
      await exit;
      await worker.restart();
      await worker.https({ certificates: [certificate(`turn-${turn}`)] });
      await worker.route([{ stable: upstream.arm("rel_1") }]);
    }
    await load.more(200);
    const { failures } = await load.stop();
    expect(failures).toEqual([]);
  });
});

function ticketKey(seed: number): string {
  return Buffer.alloc(48, seed).toString("base64");
}
