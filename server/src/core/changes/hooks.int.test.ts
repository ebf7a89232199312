import { beforeEach, describe, expect, it } from "vitest";
import {
  ann,
  FOUND,
  useChangesHouse,
  wish,
  type ServerOptions,
} from "../../../../tests/support/changes-house.ts";
import { waitUntil } from "../../../../tests/support/wait-until.ts";
import type { Hooks, Observation, Occasion } from "./ports.ts";

const { here, until, healthyTraffic } = useChangesHouse();

/** Hooks whose world is a few variables: what was asked for, and how it stands. */
const world = {
  asked: new Set<string>(),
  calls: 0,
  stopped: 0,
  answer: (_occasions: string[]): Observation => ({ waitingFor: null, failure: null, note: "they ran" }),
};
const DONE = world.answer;
const WAITS: Observation = { waitingFor: "the hook to end", failure: null };
const words = ({ when, state, stage }: Occasion) => `${when} ${state} ${stage}`;

const hooks: Hooks = {
  plan: () => [
    { driver: "hooks", act: "before", title: "x", state: "stepping", stage: null, undoneIn: null },
  ],
  async run(_change, occasions) {
    world.calls += 1;
    const named = occasions.map(words);
    for (const each of named) world.asked.add(each);
    return world.answer(named);
  },
  stop: async () => void (world.stopped += 1),
  remain: async () => false,
};

const OPTIONS: ServerOptions = {
  hooks,
  prepared: {
    judge: null,
    plan: {
      stages: [
        { weight: 1000, bakeMs: 5000 },
        { weight: 10_000, bakeMs: 0 },
      ],
      keepWarmMs: 5000,
      gateDeadlineMs: 30_000,
      onTooLittleEvidence: "advance",
      hasStable: true,
      skips: ["backup", "migrating"],
      hooks: [
        { when: "after", state: "preflight", what: "x" },
        { when: "before", state: "stepping", what: "x" },
      ],
    },
  },
};

beforeEach(() => {
  Object.assign(world, { asked: new Set(), calls: 0, stopped: 0, answer: DONE });
});

async function begin(options = OPTIONS) {
  const server = here().createServer(options);
  await here().run(server);
  const { id } = await server.changes.request(wish, ann);
  return { server, id };
}

/** Lets virtual time pass, a quarter of a second at a time, until the hooks were asked for so often again. */
async function untilAskedAgain(times: number): Promise<void> {
  const enough = world.calls + times;
  await waitUntil("the hooks to be asked for", async () => {
    await here().clock.advance(250);
    return world.calls >= enough;
  });
}

describe("hooks around the states of a change", () => {
  it("are waited for where it is, and stand in the plan and in the timeline", async () => {
    world.answer = (asked) => (asked.includes("before stepping 0") ? WAITS : DONE(asked));
    const { server, id } = await begin();
    await until(server, id, "gating");
    await untilAskedAgain(8);
    const waiting = await server.changes.change(id);
    expect(waiting).toMatchObject({
      state: "gating",
      weight: 0,
      steps: expect.arrayContaining(hooks.plan(waiting)),
    });
    expect(here().fake.world.acts).toEqual(["apply start"]);

    world.answer = DONE;
    healthyTraffic();
    await until(server, id, "succeeded");
    expect([...world.asked]).toEqual([
      ...["after preflight -1", "before starting -1", "after gating -1", "before stepping 0"],
      ...["after stepping 0", "before stepping 1"],
    ]);
    const timeline = await server.changes.timeline(id);
    const gating = timeline.filter((each) => each.from_state === "gating");
    expect(gating.map(({ to_state, reason }) => [to_state, reason])).toEqual([
      ["gating", "every instance passed its health gate"],
      ["stepping", "they ran"],
    ]);
    // What they took is no part of the stage.
    const [entered, left] = timeline.filter((each) => each.to_state === "stepping");
    expect(Number(left?.at) - Number(entered?.at)).toBeGreaterThanOrEqual(5000);
  });

  it("undo the change when one fails, and end what still runs", async () => {
    world.answer = (asked) =>
      asked.includes("before stepping 0") ? { ...WAITS, failure: "the hook failed" } : DONE(asked);
    const { server, id } = await begin();
    await until(server, id, "undone");
    expect(await server.changes.change(id)).toMatchObject({ outcome: "the hook failed", weight: 0 });
    expect(here().fake.world.acts).toEqual(["apply start", "undo weigh", "undo start"]);
    expect(world.stopped).toBeGreaterThan(0);
  });

  it("are not lost with the server: another one asks for the same", async () => {
    world.answer = () => WAITS;
    const { server, id } = await begin();
    await untilAskedAgain(2);
    await server.runner.stop();
    const next = here().createServer(OPTIONS);
    await here().run(next);
    await untilAskedAgain(2);
    expect((await next.changes.change(id)).state).toBe("preflight");
    expect([...world.asked]).toEqual(["after preflight -1", "before starting -1"]);
    world.answer = DONE;
    await until(next, id, "succeeded");
  });

  it("never keep an undo from restoring, but its end waits for theirs", async () => {
    world.answer = (asked) => (asked.includes("before restoring-weights 0") ? WAITS : DONE(asked));
    const { server, id } = await begin();
    await until(server, id, "stepping");
    here().fake.world.failure = "web crashed";
    await until(server, id, "draining-candidate");
    await untilAskedAgain(3);
    expect(here().fake.world.acts.slice(-2)).toEqual(["undo weigh", "undo start"]);
    expect((await server.changes.change(id)).state).toBe("draining-candidate");
    world.answer = DONE;
    await until(server, id, "undone");
    expect([...world.asked].slice(-4)).toEqual([
      ...["before restoring-weights 0", "after restoring-weights 0"],
      ...["before draining-candidate 0", "after draining-candidate 0"],
    ]);
    expect((await server.changes.timeline(id)).at(-1)?.reason).toBe(
      "the candidate is drained and stopped; they ran",
    );
  });

  it("do not keep an undo from its end by breaking", async () => {
    const { server, id } = await begin();
    await until(server, id, "stepping");
    world.answer = () => {
      throw new Error("no such table");
    };
    here().fake.world.failure = "web crashed";
    await until(server, id, "undone");
  });

  it("run nothing of a candidate that the pre-flight refused, not even while it is undone", async () => {
    here().fake.world.findings = [
      { ...FOUND, code: "RELEASE_ALTERED", message: "altered", remedy: "deploy" },
    ];
    const { server, id } = await begin();
    await until(server, id, "undone");
    expect([...world.asked]).toEqual([]);
  });
});
