import { waitUntil } from "./wait-until.ts";

const ROUND_MS = 250;

/** Some users with cookies, who come back again and again and remember which release answered them. */
export interface Visitors {
  /**
   * Ends with one more visit of each; answers, for each visitor,
   * the releases in the order they were met, without repetitions.
   */
  stop(): Promise<string[][]>;
}

export function startVisitors(url: string, count: number): Visitors {
  const visitors = Array.from({ length: count }, () => ({ cookie: "", met: [] as string[] }));
  let isStopped = false;
  const visits = comeBack();

  async function comeBack(): Promise<void> {
    while (!isStopped) {
      await visitAll();
      await waitUntil("the next round", createRound());
    }
  }

  async function visitAll(): Promise<void> {
    await Promise.all(visitors.map((each) => visit(url, each)));
  }

  return {
    async stop() {
      isStopped = true;
      await visits;
      await visitAll();
      return visitors.map((each) => each.met);
    },
  };
}

async function visit(url: string, visitor: { cookie: string; met: string[] }): Promise<void> {
  const met = await fetch(url, { headers: { cookie: visitor.cookie } }).then(
    async (answer) => {
      await answer.text();
      visitor.cookie = answer.headers.getSetCookie()[0]?.split(";")[0] ?? visitor.cookie;
      return answer.headers.get("x-mainstay-release") ?? `status ${answer.status}`;
    },
    (error: unknown) => String(error),
  );
  if (visitor.met.at(-1) !== met) visitor.met.push(met);
}

function createRound(): () => boolean {
  const endMs = performance.now() + ROUND_MS;
  return () => performance.now() >= endMs;
}

/** The release that answers a visitor nobody knows. */
export async function releaseServed(url: string): Promise<string | null> {
  const answer = await fetch(url);
  await answer.text();
  return answer.headers.get("x-mainstay-release");
}
