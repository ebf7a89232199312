import { Agent } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { askHttp2, askTls, openHttp2 } from "./tls-client.ts";

const USERS_OF_EACH_KIND = 4;
const THINK_TIME_MS = 1;

export interface TlsLoad {
  /** Names of every certificate that a new connection was shown. */
  handshakes: ReadonlySet<string>;
  /** Resolves after so many more requests. */
  more(count: number): Promise<void>;
  stop(): Promise<{ requests: number; failures: string[] }>;
}

/** Users over TLS who never repeat a request that failed. */
export function startTlsLoad(port: number, host: string): TlsLoad {
  const result = { requests: 0, failures: [] as string[] };
  const handshakes = new Set<string>();
  let isStopped = false;

  async function repeat(ask: () => Promise<number>): Promise<void> {
    while (!isStopped) {
      const outcome = await ask().catch((error: Error) => error.message);
      result.requests += 1;
      if (outcome !== 200) result.failures.push(String(outcome));
      await sleep(THINK_TIME_MS);
    }
  }

  async function keptConnection(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await repeat(async () => (await askTls({ port, host, agent })).status);
    agent.destroy();
  }

  const newConnections = () =>
    repeat(async () => {
      const answer = await askTls({ port, host, headers: { connection: "close" } });
      handshakes.add(answer.names);
      return answer.status;
    });

  /**
   * As clients do: after GOAWAY a refused and the next request go to a new session (RFC 9113, section 8.7).
   */
  async function http2Session(): Promise<void> {
    let session = openHttp2(port, host);
    const ask = async () => (await askHttp2(session, { ":path": "/" })).status;
    await repeat(async () => {
      if (session.closed) session = openHttp2(port, host);
      return ask().catch((error: Error) => {
        if (!error.message.includes("REFUSED_STREAM")) throw error;
        session = openHttp2(port, host);
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
      while (result.requests < goal) await sleep(THINK_TIME_MS);
    },
    async stop() {
      isStopped = true;
      await Promise.all(users);
      return result;
    },
  };
}
