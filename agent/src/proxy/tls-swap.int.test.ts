import { once } from "node:events";
import { Agent } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSelfSigned } from "../system/self-signed.ts";
import { askHttp2, askTls, openHttp2 } from "../testing/tls-client.ts";
import { startTestWorker, startUpstream, type TestUpstream, type TestWorker } from "../testing/worker.ts";

const HOST = "shop.example.com";
const USERS_OF_EACH_KIND = 4;

/** A certificate whose second name tells it from the ones before. */
function certificate(name: string) {
  const hosts = [HOST, `${name}.example.com`];
  return { hosts, ...createSelfSigned({ hosts, from: new Date(), days: 1 }) };
}

/** Users over TLS who never repeat a request that failed. */
function startTlsLoad(worker: TestWorker) {
  const result = { requests: 0, failures: [] as string[] };
  const handshakes = new Set<string>();
  let isStopped = false;

  async function repeat(ask: () => Promise<number>): Promise<void> {
    while (!isStopped) {
      const outcome = await ask().catch((error: Error) => error.message);
      result.requests += 1;
      if (outcome !== 200) result.failures.push(String(outcome));
      await sleep(1);
    }
  }

  async function keptConnection(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await repeat(async () => (await askTls({ port: worker.tlsPort, host: HOST, agent })).status);
    agent.destroy();
  }

  const newConnections = () =>
    repeat(async () => {
      const answer = await askTls({ port: worker.tlsPort, host: HOST, headers: { connection: "close" } });
      handshakes.add(answer.names);
      return answer.status;
    });

  /** As clients do: after GOAWAY a refused and the next request go to a new session (RFC 9113, section 8.7). */
  async function http2Session(): Promise<void> {
    let session = openHttp2(worker.tlsPort, HOST);
    const ask = async () => (await askHttp2(session, { ":path": "/" })).status;
    await repeat(async () => {
      if (session.closed) session = openHttp2(worker.tlsPort, HOST);
      return ask().catch((error: Error) => {
        if (!error.message.includes("REFUSED_STREAM")) throw error;
        session = openHttp2(worker.tlsPort, HOST);
        return ask();
      });
    });
    session.close();
  }

  const users = [keptConnection, newConnections, http2Session].flatMap((user) =>
    Array.from({ length: USERS_OF_EACH_KIND }, user),
  );
  return {
    handshakes,
    async more(count: number): Promise<void> {
      const goal = result.requests + count;
      while (result.requests < goal) await sleep(2);
    },
    async stop() {
      isStopped = true;
      await Promise.all(users);
      return result;
    },
  };
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
    const load = startTlsLoad(worker);
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
    const load = startTlsLoad(worker);
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
