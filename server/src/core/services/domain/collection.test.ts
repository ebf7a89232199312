import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planCollection, type HeldRelease } from "./collection.ts";

const held = (number: number, part: Partial<HeldRelease> = {}): HeldRelease => ({
  id: `rel_${String(number).padStart(4, "0")}`,
  service: "shop",
  environment: "production",
  digest: `sha256:${number}`,
  isCollected: false,
  ...part,
});

const idsOf = (releases: readonly HeldRelease[]) => releases.map((each) => each.id);

describe("making room", () => {
  it("keeps the newest of each service and environment, and whatever is in use", () => {
    const releases = [held(1), held(2), held(3), held(4), held(5, { environment: "staging" })];
    const plan = planCollection({ releases, inUse: new Set(["rel_0001"]), keepNewest: 1 });
    expect(idsOf(plan.remove)).toEqual(["rel_0002", "rel_0003"]);
    expect(idsOf(plan.kept)).toEqual(["rel_0001", "rel_0004", "rel_0005"]);
  });

  it("leaves files alone that another release shares", () => {
    const releases = [held(1, { digest: "same" }), held(2, { digest: "other" }), held(3, { digest: "same" })];
    const plan = planCollection({ releases, inUse: new Set(), keepNewest: 1 });
    expect(idsOf(plan.remove)).toEqual(["rel_0001", "rel_0002"]);
    expect(plan.digests).toEqual(["other"]);
  });

  it("does not count what is collected already", () => {
    const releases = [held(1), held(2), held(3, { isCollected: true })];
    const plan = planCollection({ releases, inUse: new Set(), keepNewest: 1 });
    expect(idsOf(plan.remove)).toEqual(["rel_0001"]);
  });
});

/**
 * One service as the platform moves it: what serves, what is on trial, and what the last success came after.
 */
interface Place {
  stable: string | null;
  trial: string | null;
  undo: string | null;
}

type Act =
  | { act: "register" | "undo" | "finish" | "rollback" | "collect"; at: number }
  | { act: "deploy"; at: number; which: number };

const anyAct: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ act: fc.constant("register" as const), at: fc.nat(2) }) },
  {
    weight: 4,
    arbitrary: fc.record({ act: fc.constant("deploy" as const), at: fc.nat(2), which: fc.nat(20) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      act: fc.constantFrom("undo" as const, "finish" as const, "rollback" as const, "collect" as const),
      at: fc.nat(2),
    }),
  },
);

/**
 * A world of three services that share contents, driven by acts; throws when a needed release has no files.
 */
function createWorld(keepNewest: number) {
  const places: Place[] = Array.from({ length: 3 }, () => ({ stable: null, trial: null, undo: null }));
  let releases: HeldRelease[] = [];
  const digests = new Set<string>();
  const ofPlace = (at: number) =>
    releases.filter((each) => each.service === `service-${at}` && !each.isCollected);
  const inUse = () =>
    new Set(places.flatMap(({ stable, trial, undo }) => [stable, trial, undo].filter((id) => id !== null)));

  function register(at: number): void {
    const number = releases.length + 1;
    const digest = `sha256:${(number * 7) % 5}`;
    releases.push(held(number, { service: `service-${at}`, digest }));
    digests.add(digest);
  }

  function collect(): void {
    const plan = planCollection({ releases, inUse: inUse(), keepNewest });
    const gone = new Set(idsOf(plan.remove));
    for (const place of places.keys()) {
      const before = idsOf(ofPlace(place)).toSorted().slice(-keepNewest);
      expect(before.filter((id) => gone.has(id))).toEqual([]);
    }
    releases = releases.map((each) => (gone.has(each.id) ? { ...each, isCollected: true } : each));
    for (const digest of plan.digests) digests.delete(digest);
    const again = planCollection({ releases, inUse: inUse(), keepNewest });
    expect([again.remove, again.digests]).toEqual([[], []]);
  }

  function step(act: Act): void {
    const place = places[act.at];
    if (!place) return;
    if (act.act === "register") return register(act.at);
    if (act.act === "collect") return collect();
    if (act.act === "deploy") {
      const known = ofPlace(act.at);
      const chosen = known[act.which % Math.max(known.length, 1)]?.id ?? null;
      if (place.trial === null && chosen !== place.stable) place.trial = chosen;
    }
    if (act.act === "rollback" && place.trial === null && place.undo !== null) place.trial = place.undo;
    if (act.act === "undo") place.trial = null;
    if (act.act === "finish" && place.trial !== null)
      Object.assign(place, { stable: place.trial, undo: place.stable, trial: null });
  }

  /** Whatever serves, is on trial or can be gone back to has its files. */
  function check(): void {
    for (const id of inUse()) {
      const release = releases.find((each) => each.id === id);
      expect(release).toMatchObject({ isCollected: false });
      expect(digests.has(release?.digest ?? "")).toBe(true);
    }
  }

  return { step, check };
}

describe("whatever happens", () => {
  it("never takes what serves, what is on trial, or what could be gone back to", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(anyAct, { minLength: 20, maxLength: 120 }),
        (keep, acts) => {
          const world = createWorld(keep);
          for (const act of acts) {
            world.step(act);
            world.check();
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
