import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface LoadResult {
  requests: number;
  /** What went wrong, one line a request: errors and answers other than 200. */
  failures: string[];
  /** Answers by the release that gave them. */
  byRelease: Map<string, number>;
}

export interface Load {
  /** Resolves after so many more requests. */
  more(count: number): Promise<void>;
  stop(): Promise<LoadResult>;
}

interface LoadOptions {
  url: string;
  users: number;
  keepAlive: boolean;
  path?: string;
}

const THINK_TIME_MS = 2;

/** Users who ask one request after the other, keep their cookie, and never repeat one that failed. */
export function startLoad({ url, users, keepAlive, path = "/" }: LoadOptions): Load {
  const result: LoadResult = { requests: 0, failures: [], byRelease: new Map() };
  let isStopped = false;

  async function user(): Promise<void> {
    const agent = new Agent({ keepAlive, maxSockets: 1 });
    let cookie = "";
    while (!isStopped) {
      const answer = await ask(`${url}${path}`, agent, cookie);
      cookie = answer.cookie ?? cookie;
      result.requests += 1;
      if (answer.problem !== null) result.failures.push(answer.problem);
      result.byRelease.set(answer.release, (result.byRelease.get(answer.release) ?? 0) + 1);
      await sleep(THINK_TIME_MS);
    }
    agent.destroy();
  }

  const running = Array.from({ length: users }, user);
  return {
    async more(count) {
      const goal = result.requests + count;
      while (result.requests < goal) await sleep(THINK_TIME_MS);
    },
    async stop() {
      isStopped = true;
      await Promise.all(running);
      return result;
    },
  };
}

interface Answer {
  problem: string | null;
  release: string;
  cookie: string | null;
}

function ask(url: string, agent: Agent, cookie: string): Promise<Answer> {
  return new Promise((resolve) => {
    const headers = cookie === "" ? {} : { cookie };
    const outgoing = request(url, { agent, headers }, (response) => {
      const release = String(response.headers["x-release"] ?? "none");
      const given = response.headers["set-cookie"]?.[0]?.split(";")[0] ?? null;
      const problem = response.statusCode === 200 ? null : `status ${response.statusCode}`;
      response.on("error", (error) => resolve({ problem: error.message, release, cookie: given }));
      response.on("end", () => resolve({ problem, release, cookie: given }));
      response.resume();
    });
    outgoing.on("error", (error) => resolve({ problem: error.message, release: "none", cookie: null }));
    outgoing.end();
  });
}
