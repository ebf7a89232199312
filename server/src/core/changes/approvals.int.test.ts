import { approvalRules } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import { ann, useChangesHouse, wish, type ServerOptions } from "../../../../tests/support/changes-house.ts";
import type { Origin } from "../../kernel/http/index.ts";

const { here, until, healthyTraffic } = useChangesHouse();

const person = (name: string, onBehalfOf: Origin["onBehalfOf"] = null): Origin => ({
  ...ann,
  actor: { type: "user", id: `usr_${name}`, name },
  onBehalfOf,
});
const bob = person("bob");
const eve = person("eve");
const kim = person("kim");
const roles = { ann: ["admin"], bob: ["admin"], kim: ["admin"], eve: ["viewer"] };
const GUARDED = approvalRules.parse([{ environment: "production" }]);

async function guarded(options: ServerOptions = {}) {
  const server = here().createServer({ approvals: GUARDED, roles, ...options });
  await here().run(server);
  return server;
}
type Server = Awaited<ReturnType<typeof guarded>>;

/** Long enough for the runner to look several times. */
async function mustStillWait({ changes }: Server, id: string): Promise<void> {
  for (let step = 0; step < 12; step++) await here().clock.advance(250);
  expect((await changes.change(id)).state).toBe("requested");
}

const approval = { reason: null };

describe("a change under a rule for approvals", () => {
  it("waits, says whose approval it waits for, and begins once it is there", async () => {
    const server = await guarded();
    const { findings } = await server.changes.preview(wish, ann);
    expect(findings).toMatchObject([
      {
        code: "CHANGE_UNAPPROVED",
        severity: "warning",
        message: "production/shop waits for approval by 1 holder of the role admin",
      },
    ]);
    const { id } = await server.changes.request(wish, ann);
    await mustStillWait(server, id);
    await server.changes.approve(id, { reason: "looks right" }, bob);
    await until(server, id, "stepping");
    const timeline = await server.changes.timeline(id);
    expect(timeline.map(({ by, reason }) => `${by}: ${reason}`)).toContain("bob: approved: looks right");
    const { entries } = await server.audit.list({ limit: 100, filter: { change: id } });
    const approved = entries.find(({ action }) => action === "changes.approved");
    expect(approved).toMatchObject({ actor: bob.actor, reason: "approved: looks right" });
  });

  it.each([
    { rule: { environment: "staging" }, name: "of another environment" },
    { rule: { kinds: ["scale"] }, name: "of another kind" },
  ])("does not wait for an approval $name", async ({ rule }) => {
    const server = await guarded({ approvals: approvalRules.parse([rule]) });
    const { id } = await server.changes.request(wish, ann);
    await until(server, id, "stepping");
  });

  it("is approved by nobody who asked for it, by themselves or by a key", async () => {
    const server = await guarded();
    const { id } = await server.changes.request(wish, ann);
    const key: Origin = { ...ann, actor: { type: "key", id: "k1", name: "bob" }, onBehalfOf: ann.actor };
    for (const origin of [ann, key]) {
      await expect(server.changes.approve(id, approval, origin)).rejects.toMatchObject({
        code: "APPROVAL_REFUSED",
        params: { reason: "nobody approves a change of their own" },
      });
    }
    await mustStillWait(server, id);
  });

  it("is approved by whoever asked for it where the rule says so", async () => {
    const server = await guarded({ approvals: approvalRules.parse([{ allowRequester: true }]) });
    const { id } = await server.changes.request(wish, ann);
    await mustStillWait(server, id);
    await server.changes.approve(id, approval, ann);
    await until(server, id, "stepping");
  });

  it("is approved by nobody without the role", async () => {
    const server = await guarded();
    const { id } = await server.changes.request(wish, ann);
    const refusal = { code: "APPROVAL_REFUSED", params: { reason: "it is for holders of admin" } };
    await expect(server.changes.approve(id, approval, eve)).rejects.toMatchObject(refusal);
    await expect(server.changes.reject(id, "no", eve)).rejects.toMatchObject(refusal);
  });

  it("waits for as many different people as the rule says", async () => {
    const server = await guarded({ approvals: approvalRules.parse([{ count: 2 }]) });
    const { id } = await server.changes.request(wish, ann);
    await server.changes.approve(id, approval, bob);
    await expect(server.changes.approve(id, approval, bob)).rejects.toMatchObject({
      params: { reason: "you have approved it already" },
    });
    await mustStillWait(server, id);
    await server.changes.approve(id, approval, kim);
    await until(server, id, "stepping");
  });

  it("waits until every rule is met that it falls under", async () => {
    const rules = approvalRules.parse([{ role: "admin" }, { role: "viewer", environment: null }]);
    const server = await guarded({ approvals: rules });
    const { id } = await server.changes.request(wish, ann);
    await server.changes.approve(id, approval, bob);
    await mustStillWait(server, id);
    await server.changes.approve(id, approval, eve);
    await until(server, id, "stepping");
  });

  it("is ended by a rejection, with the reason", async () => {
    const server = await guarded();
    const { id } = await server.changes.request(wish, ann);
    const ended = await server.changes.reject(id, "not on a Friday", bob);
    expect(ended).toMatchObject({ state: "undone", outcome: "rejected: not on a Friday" });
    const { entries } = await server.audit.list({ limit: 100, filter: { change: id } });
    expect(entries[0]).toMatchObject({ action: "changes.rejected", actor: bob.actor });
    await expect(server.changes.approve(id, approval, kim)).rejects.toMatchObject({ code: "CHANGE_REFUSED" });
  });

  it("is given up when nobody approves in time", async () => {
    const server = await guarded({ approvals: approvalRules.parse([{ expiry: "5m" }]) });
    const { id } = await server.changes.request(wish, ann);
    await here().clock.advance(4 * 60_000);
    expect((await server.changes.change(id)).state).toBe("requested");
    await here().clock.advance(61_000);
    await until(server, id, "undone");
    expect((await server.changes.change(id)).outcome).toContain("waited too long for approval by 1 holder");
  });
});

describe("an approval", () => {
  it("stands for the plan that was looked at and no other", async () => {
    const prepared: ServerOptions["prepared"] = {};
    const server = await guarded({ prepared });
    const { id, plan_digest: planDigest } = await server.changes.request(wish, ann);
    Object.assign(prepared, { stable: "rel_other" });
    await expect(server.changes.approve(id, { reason: null, planDigest }, bob)).rejects.toMatchObject({
      code: "CHANGE_ALTERED",
    });
    const { plan_digest: present, stable } = await server.changes.change(id);
    expect(stable).toBe("rel_other");
    await server.changes.approve(id, { reason: null, planDigest: present }, bob);
    await until(server, id, "stepping");
  });

  it("lapses when the plan is another by the time it would begin", async () => {
    const prepared: ServerOptions["prepared"] = {};
    const server = await guarded({ prepared, approvals: approvalRules.parse([{ count: 2 }]) });
    const { id } = await server.changes.request(wish, ann);
    await server.changes.approve(id, approval, bob);
    Object.assign(prepared, { limits: { errorRate: 0.5 } });
    await server.changes.approve(id, approval, kim);
    await mustStillWait(server, id);
    const reasons = (await server.changes.timeline(id)).map(({ reason }) => reason);
    expect(reasons).toContain("the plan is another by now: approvals lapse");
    await server.changes.approve(id, approval, bob);
    await until(server, id, "stepping");
  });

  it("given while the release before is kept warm stands when that has become the stable one", async () => {
    const prepared: ServerOptions["prepared"] = {};
    const server = await guarded({ prepared });
    const first = await server.changes.request(wish, ann);
    await server.changes.approve(first.id, approval, bob);
    healthyTraffic();
    await until(server, first.id, "baking");
    const second = await server.changes.request({ ...wish, candidate: "rel_newer" }, ann);
    await server.changes.approve(second.id, approval, bob);
    Object.assign(prepared, { stable: "rel_new" });
    await until(server, second.id, "stepping");
    expect((await server.changes.change(first.id)).state).toBe("succeeded");
  });

  it("is asked for anew when the rules are others after a restart", async () => {
    const before = here().createServer({ approvals: GUARDED, roles });
    const { id } = await before.changes.request(wish, ann);
    const open = await guarded({ approvals: [] });
    await until(open, id, "stepping");
  });
});

describe("what waits for approval", () => {
  it("holds up nobody who has theirs", async () => {
    const server = await guarded();
    const waiting = await server.changes.request(wish, ann);
    const other = await server.changes.request({ ...wish, candidate: "rel_2" }, ann);
    await server.changes.approve(other.id, approval, bob);
    await until(server, other.id, "stepping");
    expect((await server.changes.change(waiting.id)).state).toBe("requested");
  });

  it("never stands in the way of going back, which needs no approval", async () => {
    const server = await guarded();
    const { id } = await server.changes.request(wish, ann);
    await server.changes.approve(id, approval, bob);
    healthyTraffic();
    await until(server, id, "succeeded");
    await server.changes.request({ ...wish, candidate: "rel_2" }, ann);
    const back = await server.changes.rollback(id, null, ann);
    await until(server, back.id, "stepping");
    await server.changes.rollback(back.id, "enough", ann);
    await until(server, back.id, "undone");
  });

  it("is limited in number", async () => {
    const server = await guarded();
    for (let count = 0; count < 20; count++) await server.changes.request(wish, ann);
    await expect(server.changes.request(wish, ann)).rejects.toMatchObject({ code: "CHANGE_QUEUE_FULL" });
  });

  it("goes on in an emergency when somebody says why, which timeline and audit keep", async () => {
    const server = await guarded();
    const { id } = await server.changes.request({ ...wish, overrideApproval: "the shop is down" }, ann);
    await until(server, id, "stepping");
    const reasons = (await server.changes.timeline(id)).map(({ reason }) => reason).join("\n");
    expect(reasons).toContain("forced CHANGE_UNAPPROVED");
    expect(reasons).toContain("overridden: the shop is down");
    const { entries } = await server.audit.list({ limit: 100, filter: { change: id } });
    expect(entries.at(-1)).toMatchObject({ after: { overrideApproval: "the shop is down" } });
  });
});
