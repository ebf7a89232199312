import { changeResource, type ChangeResource, type PlatformResource } from "@mainstay/api";
import { beforeAll, describe, expect, it } from "vitest";
import { copyHello, UNJUDGED_ROLLOUT, type Hello } from "../support/hello.ts";
import { lostOf, NOTHING_LOST, underLoad } from "../support/load.ts";
import { readMetric } from "../support/metrics.ts";
import { useProduct } from "../support/use-product.ts";
import { waitUntil } from "../support/wait-until.ts";

const HELD_REQUESTS = 20;
/** More than 200 requests per second bring within one turn of the worker's event loop. */
const LAST_TURN_REQUESTS = 10;
/** Required: a killed proxy worker may be missed for this long. */
const BACK_WITHIN_MS = 1000;

const product = useProduct();
let hello: Hello;

beforeAll(async () => {
  hello = await copyHello(product().directory);
  await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: UNJUDGED_ROLLOUT, web: { instances: 2 } });
  await deploy();
});

async function deploy(): Promise<ChangeResource> {
  return (await product().cliJson(changeResource, "deploy", hello.directory)).document;
}

async function instancePids(): Promise<(number | null)[]> {
  const { items } = await product()
    .api()
    .get<{ items: { pid: number | null; state: string }[] }>("/instances");
  return items
    .map((each) => (each.state === "ready" ? each.pid : null))
    .toSorted((a, b) => (a ?? 0) - (b ?? 0));
}

/** Requests that are still unanswered when something happens; how many of them failed. */
async function holdRequests(count: number): Promise<{ failed: Promise<number> }> {
  const url = `${product().dataPlaneUrl}/wait?ms=5000`;
  const requests = Array.from({ length: count }, () => fetch(url, { headers: { connection: "close" } }));
  const settled = Promise.allSettled(requests);
  await waitUntil("the requests to be in flight", async () => {
    return (await readMetric(product(), "mainstay_proxy_inflight")) >= count;
  });
  return { failed: settled.then((all) => all.filter((each) => each.status === "rejected").length) };
}

/** From now to the first good answer. */
async function untilServedMs(): Promise<number> {
  const startMs = performance.now();
  const isServed = async () => (await fetch(product().dataPlaneUrl).catch(() => null))?.ok;
  await waitUntil("an answer", isServed, { lookMs: 5 });
  return performance.now() - startMs;
}

describe("the data plane, under load", () => {
  it("serves again within a second of a kill -9 of its worker, and counts what was lost: the requests in flight", async () => {
    const before = await readMetric(product(), "mainstay_proxy_lost_total");
    const { result, load } = await underLoad(product(), async () => {
      const held = await holdRequests(HELD_REQUESTS);
      await product().kill("proxy-0");
      const backAfterMs = await untilServedMs();
      return { backAfterMs, heldFailed: await held.failed };
    });
    const { "no-answer": read = 0, reset = 0, ...others } = load.lostReasons;
    await waitUntil("the platform to count what was lost", async () => {
      return (await readMetric(product(), "mainstay_proxy_lost_total")) > before;
    });
    const counted = (await readMetric(product(), "mainstay_proxy_lost_total")) - before;
    process.stdout.write(
      `proxy worker killed: serving again after ${result.backAfterMs.toFixed(0)} ms; ${counted} requests in flight ` +
        `were lost and counted, ${result.heldFailed + load.lost} seen by clients, ${reset} of them not read by it\n`,
    );
    expect(result.backAfterMs).toBeLessThan(BACK_WITHIN_MS);
    expect(result.heldFailed).toBe(HELD_REQUESTS);
    expect(others).toEqual({});
    // Counted to within one turn of the worker's event loop: what it answered
    // in its last one counts as lost, what it had not read yet is not counted.
    expect(counted).toBeGreaterThanOrEqual(HELD_REQUESTS);
    expect(counted).toBeLessThanOrEqual(HELD_REQUESTS + read + reset + LAST_TURN_REQUESTS);
    expect({ refused: load.refused, applicationErrors: load.applicationErrors }).toEqual({
      refused: 0,
      applicationErrors: 0,
    });
  });

  it("does not notice a kill -9 of the agent, whose successor takes up the same processes", async () => {
    const pids = await instancePids();
    const { load } = await underLoad(product(), async () => {
      const killed = await product().kill("agent");
      await waitUntil("another agent", async () => (await product().pidOf("agent")) !== killed);
      await waitUntil("the agent to be connected", async () => {
        const { agent } = await product().api().get<PlatformResource>("/platform");
        return agent === "connected" && !(await instancePids()).includes(null);
      });
      expect(await instancePids()).toEqual(pids);
      expect((await deploy()).weight).toBe(1);
    });
    expect(lostOf(load)).toEqual(NOTHING_LOST);
  });

  it("is taken up by the next start after a kill -9 of the parent, with the same processes", async () => {
    const pids = await instancePids();
    const children = await Promise.all(["proxy-0", "agent", "server"].map((name) => product().pidOf(name)));
    await product().kill("parent");
    await product().upAgain();
    await waitUntil("every instance to be ready", async () => !(await instancePids()).includes(null));
    expect(await instancePids()).toEqual(pids);
    const successors = await Promise.all(["proxy-0", "agent", "server"].map((name) => product().pidOf(name)));
    for (const pid of successors) expect(children).not.toContain(pid);
    const { result, load } = await underLoad(product(), deploy);
    expect(result.weight).toBe(1);
    expect(lostOf(load)).toEqual(NOTHING_LOST);
  });
});
