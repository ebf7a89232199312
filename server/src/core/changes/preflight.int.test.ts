import { describe, expect, it } from "vitest";
import { ann, FOUND, useChangesHouse, wish } from "../../../../tests/support/changes-house.ts";

const { here, until } = useChangesHouse();

describe("the pre-flight", () => {
  it("stops the change, and says all it found with the remedies", async () => {
    const server = here().createServer();
    await here().run(server);
    here().fake.world.findings = [
      { ...FOUND, code: "A", message: "the disk is full", remedy: "make room" },
      { ...FOUND, code: "B", message: "a secret is missing", remedy: "add it" },
      { ...FOUND, code: "C", severity: "warning", message: "env differs", remedy: "look" },
    ];
    const { id } = await server.changes.request(wish, ann);
    await until(server, id, "undone");
    const { outcome } = await server.changes.change(id);
    expect(outcome).toBe("the disk is full (make room); a secret is missing (add it)");
    expect(here().fake.world.acts).not.toContain("apply start");
    expect((await server.changes.change(id)).findings.map((each) => each.code)).toEqual(["A", "B", "C"]);
  });

  it("goes on in spite of an error that was forced, and says so in timeline and audit", async () => {
    const server = here().createServer();
    await here().run(server);
    here().fake.world.findings = [
      { ...FOUND, code: "MEMORY", isForceable: true, message: "little memory", remedy: "wait" },
      { ...FOUND, code: "ENV", severity: "warning", message: "env differs", remedy: "compare" },
    ];
    const refused = await server.changes.request(wish, ann);
    await until(server, refused.id, "undone");
    const { id } = await server.changes.request({ ...wish, force: ["MEMORY"] }, ann);
    await until(server, id, "stepping");
    const reasons = (await server.changes.timeline(id)).map((entry) => entry.reason);
    expect(reasons).toContain("forced MEMORY: little memory; warning ENV: env differs");
    const { entries } = await server.audit.list({ limit: 100, filter: { change: id } });
    expect(entries.at(-1)).toMatchObject({ actor: { name: "ann" }, after: { force: ["MEMORY"] } });
  });

  it("is never forced past an error that may not be", async () => {
    const server = here().createServer();
    await here().run(server);
    here().fake.world.findings = [{ ...FOUND, code: "DIGEST", message: "altered", remedy: "deploy again" }];
    const { id } = await server.changes.request({ ...wish, force: ["DIGEST"] }, ann);
    await until(server, id, "undone");
    expect((await server.changes.change(id)).outcome).toBe("altered (deploy again)");
  });

  it("takes a check that breaks for a finding, and still asks the others", async () => {
    here().fake.world.checks = [
      { name: "broken", find: () => Promise.reject(new Error("no such file")) },
      { name: "well", find: async () => [{ ...FOUND, code: "A", message: "a", remedy: "b" }] },
    ];
    const { findings } = await here().createServer().changes.preview(wish, ann);
    expect(findings.map((each) => each.code)).toEqual(["PREFLIGHT_BROKEN", "A"]);
    expect(findings[0]?.message).toBe("the check broken came to no result: no such file");
  });
});
