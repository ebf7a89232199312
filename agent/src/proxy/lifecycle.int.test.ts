import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { STOP } from "../system/child-process.ts";
import { startLoad } from "../testing/load.ts";
import {
  startTestWorker,
  startUpstream,
  TEST_ENGINES,
  type TestUpstream,
  type TestWorker,
} from "../testing/worker.ts";
import { waitFor } from "../testing/wait-for.ts";

describe.each(TEST_ENGINES)("a proxy worker (%s)", (engine) => {
  let worker: TestWorker;
  let apps: TestUpstream[];

  beforeEach(async () => {
    worker = await startTestWorker({ engine });
    apps = await Promise.all(
      ["rel_1", "rel_2"].map((release) =>
        startUpstream((request, response) => {
          response.setHeader("x-release", release);
          if (request.url === "/never") return;
          setImmediate(() => response.end("served"));
        }),
      ),
    );
  });
  afterEach(async () => {
    await worker.stop();
    await Promise.all(apps.map((app) => app.stop()));
  });

  function arm(index: number, id?: string) {
    const app = apps[index];
    if (!app) throw new Error("no such application");
    return app.arm(`rel_${index + 1}`, id);
  }

  it.each([true, false])(
    "loses nothing while weights and instances change (keep-alive: %s)",
    async (keepAlive) => {
      await worker.route([{ stable: arm(0) }]);
      const load = startLoad({ url: worker.url, users: 20, keepAlive });
      for (let swap = 0; swap < 4; swap += 1) {
        for (const weight of [0, 1000, 2500, 5000, 10_000, 0]) {
          await worker.route([
            { stable: arm(0), candidate: arm(1, `ins_${swap}`), change: `chg_${swap}`, weight },
          ]);
          await load.more(40);
        }
        await worker.route([{ stable: arm(swap % 2, `ins_s${swap}`) }]);
        await load.more(40);
      }
      const { failures, byRelease } = await load.stop();
      expect(failures).toEqual([]);
      expect([...byRelease.keys()].toSorted()).toEqual(["rel_1", "rel_2"]);
      const { lost, inflight } = await worker.counters();
      expect([lost, inflight]).toEqual([{}, 0]);
    },
  );

  it("keeps a user in the arm, moves nobody back when the weight rises, and sets cookies only during a change", async () => {
    await worker.route([{ stable: arm(0) }]);
    expect((await fetch(worker.url)).headers.get("set-cookie")).toBeNull();
    const change = { stable: arm(0), candidate: arm(1), change: "chg_1" };
    await worker.route([{ ...change, weight: 3000 }]);
    const users = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const first = await fetch(worker.url);
        return {
          cookie: first.headers.get("set-cookie")?.split(";")[0] ?? "",
          release: first.headers.get("x-release"),
        };
      }),
    );
    expect(users.every((user) => user.cookie.startsWith("mainstay_id="))).toBe(true);
    const candidates = users.filter((user) => user.release === "rel_2");
    expect(candidates.length).toBeGreaterThan(10);
    for (const weight of [3000, 5000, 9000]) {
      await worker.route([{ ...change, weight }]);
      for (const user of candidates) {
        const again = await fetch(worker.url, { headers: { cookie: `theme=dark; ${user.cookie}` } });
        expect([again.headers.get("x-release"), again.headers.get("set-cookie")]).toEqual(["rel_2", null]);
      }
    }
  });

  it("takes no cookie that it did not sign, and a configured header from clients without one", async () => {
    const change = { stable: arm(0), candidate: arm(1), change: "chg_1", weight: 5000 };
    await worker.route([{ ...change, assignmentHeader: "X-User" }]);
    const forged = await fetch(worker.url, {
      headers: { cookie: "mainstay_id=mine.AAAAAAAAAAAAAAAAAAAAAA" },
    });
    expect(forged.headers.get("set-cookie")).toContain("mainstay_id=");
    const known = await fetch(worker.url, { headers: { "x-user": "u1" } });
    expect(known.headers.get("set-cookie")).toBeNull();
    for (let index = 0; index < 5; index += 1) {
      const again = await fetch(worker.url, { headers: { "x-user": "u1" } });
      expect(again.headers.get("x-release")).toBe(known.headers.get("x-release"));
    }
  });

  it.each([true, false])("is replaced without losing a request (keep-alive: %s)", async (keepAlive) => {
    await worker.route([{ stable: arm(0) }]);
    const load = startLoad({ url: worker.url, users: 20, keepAlive });
    for (let turn = 0; turn < 3; turn += 1) {
      await load.more(100);
      const exit = once(worker.process(), "exit");
      worker.process().kill("SIGTERM");
      await exit;
      await worker.restart();
      await worker.route([{ stable: arm(0) }]);
    }
    await load.more(100);
    expect((await load.stop()).failures).toEqual([]);
  });

  it("ends what is in flight before it stops", async () => {
    const held: ServerResponse[] = [];
    const slow = await startUpstream((_request, response) => void held.push(response));
    await worker.route([{ stable: slow.arm("rel_3") }]);
    const pending = fetch(worker.url);
    await waitFor("the request to be in flight", async () => (await worker.status()).inflight === 1);
    const exit = once(worker.process(), "exit");
    worker.process().send(STOP);
    await worker.status();
    held[0]?.end("late");
    const answer = await pending;
    expect(await answer.text()).toBe("late");
    // HAProxy tells those that come while it waits, and closes this one when it ends.
    if (engine === "node") expect(answer.headers.get("connection")).toBe("close");
    expect(await exit).toEqual([0, null]);
    await slow.stop();
  });
});

it("a Node worker that is killed leaves the count of what it had in flight to its successor", async () => {
  const worker = await startTestWorker();
  const app = await startUpstream((request, response) => {
    if (request.url !== "/never") response.end("served");
  });
  await worker.route([{ stable: app.arm("rel_1") }]);
  await (await fetch(worker.url)).text();
  const pending = Array.from({ length: 5 }, () => fetch(`${worker.url}/never`).catch(() => "cut"));
  await waitFor("the requests to be in flight", async () => (await worker.status()).inflight === 5);
  worker.process().kill("SIGKILL");
  expect(await Promise.all(pending)).toEqual(Array(5).fill("cut"));
  await worker.restart();
  const { lost, restarts } = await worker.counters();
  expect([lost, restarts]).toEqual([{ worker_killed: 5 }, 1]);
  await worker.stop();
  await app.stop();
});
