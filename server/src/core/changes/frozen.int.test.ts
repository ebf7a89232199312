import { freezeList } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import { ann, useChangesHouse, wish } from "../../../../tests/support/changes-house.ts";

const { here, until, healthyTraffic } = useChangesHouse();

/** The house's clock begins on Sunday, 2026-11-01, at 12:00 UTC. */
const SUNDAY = freezeList.parse([{ from: "sun 00:00", to: "mon 08:00", reason: "weekend" }]);
const SOON = freezeList.parse([{ from: "sun 12:01", to: "mon 08:00", reason: "weekend" }]);

describe("a freeze window", () => {
  it("refuses a change and says until when and why", async () => {
    const server = here().createServer({ freeze: SUNDAY });
    await expect(server.changes.request(wish, ann)).rejects.toMatchObject({
      code: "CHANGE_FROZEN",
      message: "production/shop is frozen until 2026-11-02T08:00:00.000Z: weekend",
    });
    expect(await server.changes.list({ limit: 10 })).toEqual([]);
    const { findings } = await server.changes.preview(wish, ann);
    expect(findings).toMatchObject([{ code: "CHANGE_FROZEN", severity: "error", isForced: false }]);
  });

  it("may be the service's own", async () => {
    const server = here().createServer({ prepared: { freeze: SUNDAY } });
    await expect(server.changes.request(wish, ann)).rejects.toMatchObject({ code: "CHANGE_FROZEN" });
  });

  it("is overridden by whoever says why, which timeline and audit keep", async () => {
    const server = here().createServer({ freeze: SUNDAY });
    await here().run(server);
    const { id } = await server.changes.request({ ...wish, overrideFreeze: "the shop is down" }, ann);
    await until(server, id, "stepping");
    const reasons = (await server.changes.timeline(id)).map((entry) => entry.reason);
    expect(reasons.join("\n")).toContain("forced CHANGE_FROZEN: production/shop is frozen");
    expect(reasons.join("\n")).toContain("overridden: the shop is down");
    const { entries } = await server.audit.list({ limit: 100, filter: { change: id } });
    expect(entries.at(-1)).toMatchObject({ after: { overrideFreeze: "the shop is down" } });
  });

  it("does not cut a change that is under way, and ends one that was still waiting", async () => {
    const server = here().createServer({ freeze: SOON });
    await here().run(server);
    const { id } = await server.changes.request(wish, ann);
    await until(server, id, "stepping");
    const waiting = await server.changes.request({ ...wish, candidate: "rel_2", queue: true }, ann);
    await here().clock.advance(60_000);
    healthyTraffic();
    await until(server, id, "baking");
    await until(server, waiting.id, "undone");
    expect((await server.changes.change(waiting.id)).outcome).toContain("is frozen until");
    expect((await server.changes.change(id)).outcome).not.toContain("frozen");
  });

  it("never stands in the way of going back", async () => {
    const server = here().createServer({ freeze: SOON });
    await here().run(server);
    const { id } = await server.changes.request(wish, ann);
    healthyTraffic();
    await until(server, id, "succeeded");
    const back = await server.changes.rollback(id, null, ann);
    await until(server, back.id, "stepping");
  });
});
