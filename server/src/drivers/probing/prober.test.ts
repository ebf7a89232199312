import { createServer, type IncomingMessage } from "node:http";
import type { ObservedInstance, ObservedState } from "@mainstay/api";
import { afterEach, expect, it } from "vitest";
import { silentLog } from "../../../../tests/support/log.ts";
import { waitUntil } from "../../../../tests/support/wait-until.ts";
import type { Block, ChangeView } from "../../core/changes/index.ts";
import { createVirtualClock } from "../../kernel/clock.ts";
import { createMetrics } from "../../kernel/metrics.ts";
import { createProber } from "./prober.ts";

const change = {
  id: "chg_1",
  service: "shop",
  environment: "production",
  candidate: "rel_new",
  stable: "rel_old",
};
const plan = {
  list: [
    { path: "/a", method: "GET", expect: 200 },
    { path: "/b", method: "HEAD", expect: 200 },
  ],
  ratePerSecond: 4,
} as const;
let closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing) await close();
  closing = [];
});

/** A release's instance: answers 200, but 500 to the paths that are broken; remembers what it was asked. */
async function startInstance(release: string, broken: readonly string[] = []) {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    response.writeHead(broken.includes(request.url ?? "") ? 500 : 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  return { asked, seen: { id: `ins_${release}`, release, port, state: "ready" } as ObservedInstance };
}

function startProber(instances: ObservedInstance[]) {
  const clock = createVirtualClock(1000);
  const prober = createProber({
    services: {
      release: async () => ({ snapshot: { routes: [{ host: "shop.example.com", path: "/" }] } }) as never,
    },
    link: { observed: () => ({ instances }) as ObservedState },
    clock,
    metrics: createMetrics({ clock, log: silentLog }),
  });
  const counts = (): Promise<Block[]> => prober.counts({ change: change as ChangeView, plan, sinceMs: 0 });
  closing.push(async () => prober.stop());
  return { clock, prober, counts };
}

it("asks both arms alike, marked and past the proxy, and counts what is not answered well", async () => {
  const stable = await startInstance("rel_old");
  const candidate = await startInstance("rel_new", ["/b"]);
  const { clock, prober, counts } = startProber([stable.seen, candidate.seen]);
  await counts();
  await prober.start();
  const blocks = await waitUntil("two seconds of probes", async () => {
    await clock.advance(250);
    const seen = await counts();
    return seen.length >= 2 && seen.slice(0, 2);
  });
  const sum = (values: number[]) => values.reduce((total, each) => total + each, 0);
  for (const block of blocks) {
    expect([sum(block.stable.total), sum(block.stable.bad)]).toEqual([4, 0]);
    expect([sum(block.candidate.total), sum(block.candidate.bad)]).toEqual([4, 2]);
  }
  const { method, url, headers } = candidate.asked[0] ?? {};
  expect([method, url, headers?.["mainstay-probe"], headers?.host]).toEqual([
    "GET",
    "/a",
    "chg_1",
    "shop.example.com",
  ]);
});

it("asks nobody while one arm has nobody ready, and stops when the judge stops asking", async () => {
  const stable = await startInstance("rel_old");
  const candidate = await startInstance("rel_new");
  const instances = [stable.seen, { ...candidate.seen, state: "unready" as const }];
  const { clock, prober, counts } = startProber(instances);
  await prober.start();
  await counts();
  await clock.advance(6000);
  expect(stable.asked).toEqual([]);
  instances[1] = candidate.seen;
  await clock.advance(10_000);
  expect(candidate.asked).toEqual([]);
});
