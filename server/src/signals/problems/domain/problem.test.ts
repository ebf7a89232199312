import { describe, expect, it } from "vitest";
import { compareWith, type Known, type Seen, type Verdict } from "./problem.ts";

const START_MS = Date.parse("2026-11-01T12:00:00Z");
const SECOND_MS = 1_000;
const DOWN: Seen = {
  ...{ kind: "instance-down", subject: "shop/production/web", service: "shop", environment: "production" },
  summary: "1 of 2 instances of web is down",
};

/** Looks at these seconds, with what was seen then; answers what the world heard, and when. */
function live(patienceSeconds: number, looks: [second: number, seen: Seen[]][]): string[] {
  let known: Known[] = [];
  const heard: string[] = [];
  const kinds = new Set([DOWN.kind]);
  for (const [second, seen] of looks) {
    const now = new Date(START_MS + second * SECOND_MS);
    const patienceMs = () => patienceSeconds * SECOND_MS;
    const verdicts = compareWith(known, { kinds, seen, now, patienceMs });
    known = verdicts.reduce(after, known);
    const told = verdicts.filter(({ act }) => act === "open" || act === "end");
    heard.push(...told.map(({ act, problem }) => `${second} ${act} ${problem.summary}`));
  }
  return heard;
}

function after(known: Known[], { act, problem }: Verdict): Known[] {
  const others = known.filter(({ subject }) => subject !== problem.subject);
  return act === "end" || act === "forget" ? others : [...others, problem];
}

const { summary } = DOWN;

describe("a problem", () => {
  it("is told once it has lasted long enough, once, and its end once it is gone for as long", () => {
    const looks: [number, Seen[]][] = [
      [0, [DOWN]],
      [29, [DOWN]],
      [30, [DOWN]],
      [35, [DOWN]],
      [40, []],
      [69, []],
      [70, []],
      [75, []],
    ];
    expect(live(30, looks)).toEqual([`30 open ${summary}`, `70 end ${summary}`]);
  });

  it("that passes before that is never told", () => {
    expect(
      live(30, [
        [0, [DOWN]],
        [5, []],
        [10, [DOWN]],
        [39, [DOWN]],
        [39, []],
      ]),
    ).toEqual([]);
  });

  it("that comes and goes is one problem", () => {
    const flapping = Array.from({ length: 100 }, (_, index): [number, Seen[]] => [
      30 + index * 5,
      index % 2 ? [DOWN] : [],
    ]);
    expect(live(30, [[0, [DOWN]], [30, [DOWN]], ...flapping])).toEqual([`30 open ${summary}`]);
  });

  it("is told at once where no patience is asked for", () => {
    expect(
      live(0, [
        [0, [DOWN]],
        [5, []],
      ]),
    ).toEqual([`0 open ${summary}`, `5 end ${summary}`]);
  });

  it("ends with what was last known of it", () => {
    const worse = { ...DOWN, summary: "2 of 2 instances of web are down" };
    expect(
      live(0, [
        [0, [DOWN]],
        [5, [worse]],
        [10, []],
      ]),
    ).toEqual([`0 open ${summary}`, "10 end 2 of 2 instances of web are down"]);
  });

  it("of a kind that cannot be judged stays as it is", () => {
    const known: Known[] = [
      { ...DOWN, since: new Date(START_MS), toldAt: new Date(START_MS), goneSince: null },
    ];
    const look = { kinds: new Set<Seen["kind"]>(["disk-low"]), seen: [], patienceMs: () => 0 };
    expect(compareWith(known, { ...look, now: new Date(START_MS + SECOND_MS) })).toEqual([]);
  });
});
