import { describe, expect, it } from "vitest";
import { ann, useChangesHouse, wish, type ChangesHouse } from "../../../../tests/support/changes-house.ts";

const { here, until, healthyTraffic } = useChangesHouse();

type Server = ReturnType<ChangesHouse["createServer"]>;

async function waitBehind(server: Server, candidate: string, more: { supersede?: boolean } = {}) {
  return (await server.changes.request({ ...wish, candidate, queue: true, ...more }, ann)).id;
}

async function outcomes(server: Server, ids: string[]) {
  return Promise.all(ids.map(async (id) => (await server.changes.change(id)).state));
}

describe("a change that is asked for while another is under way", () => {
  it("is refused with who, what and since when, unless it says that it waits", async () => {
    const server = here().createServer();
    await here().run(server);
    const first = await server.changes.request(wish, ann);
    await until(server, first.id, "stepping");
    const refusal = server.changes.request({ ...wish, candidate: "rel_2" }, ann);
    await expect(refusal).rejects.toMatchObject({
      code: "CHANGE_LOCKED",
      params: { change: first.id, state: "stepping", by: "ann", since: first.created_at.toISOString() },
    });
    const second = await waitBehind(server, "rel_2");
    await here().clock.advance(2000);
    expect(await outcomes(server, [first.id, second])).toEqual(["stepping", "requested"]);
  });

  it("begins when its turn comes, first come first served, also over a restart", async () => {
    const first = here().createServer();
    await here().run(first);
    const ids = [await waitBehind(first, "rel_1")];
    await until(first, ids[0] ?? "", "stepping");
    ids.push(await waitBehind(first, "rel_2"), await waitBehind(first, "rel_3"));
    await first.runner.stop();
    const second = here().createServer();
    await here().run(second);
    healthyTraffic(600);
    await until(second, ids[2] ?? "", "baking");
    expect(await outcomes(second, ids)).toEqual(["succeeded", "succeeded", "baking"]);
    const begun = await Promise.all(
      ids.map(async (id) => (await second.changes.timeline(id))[1]?.at ?? new Date(0)),
    );
    expect(begun).toEqual(begun.toSorted((one, other) => one.getTime() - other.getTime()));
    const gaveWay = (await second.changes.timeline(ids[0] ?? "")).map((entry) => entry.reason);
    expect(gaveWay).toContain(`${ids[1]} follows`);
  });

  it("follows one that was undone, too", async () => {
    const server = here().createServer();
    await here().run(server);
    const first = await waitBehind(server, "rel_1");
    await until(server, first, "stepping");
    const second = await waitBehind(server, "rel_2");
    await server.changes.command(first, { name: "abort", reason: null }, ann);
    await until(server, second, "stepping");
    expect(await outcomes(server, [first, second])).toEqual(["undone", "stepping"]);
  });

  it("can be taken out of the queue; one that has begun cannot", async () => {
    const server = here().createServer();
    await here().run(server);
    const first = await waitBehind(server, "rel_1");
    await until(server, first, "stepping");
    const second = await waitBehind(server, "rel_2");
    expect(await server.changes.cancel(second, "wrong branch", ann)).toMatchObject({
      outcome: "wrong branch",
    });
    await expect(server.changes.cancel(first, null, ann)).rejects.toMatchObject({ code: "CHANGE_REFUSED" });
    expect(await outcomes(server, [first, second])).toEqual(["stepping", "undone"]);
  });

  it("takes the place of those that wait when it supersedes them, never of the one under way", async () => {
    const server = here().createServer();
    await here().run(server);
    const first = await waitBehind(server, "rel_1");
    await until(server, first, "stepping");
    const old = [await waitBehind(server, "rel_2"), await waitBehind(server, "rel_3")];
    const newest = await waitBehind(server, "rel_4", { supersede: true });
    expect(await outcomes(server, [first, ...old, newest])).toEqual([
      "stepping",
      "undone",
      "undone",
      "requested",
    ]);
    expect((await server.changes.change(old[0] ?? "")).outcome).toBe(`superseded by ${newest}`);
  });

  it("is refused when too many wait already", async () => {
    const server = here().createServer();
    for (let count = 0; count < 20; count++) await waitBehind(server, `rel_${count}`);
    await expect(waitBehind(server, "rel_20")).rejects.toMatchObject({ code: "CHANGE_QUEUE_FULL" });
  });
});
