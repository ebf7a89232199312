import { gatesIn, weighGate, type GateAnswer, type GateResult, type PlannedGate } from "@mainstay/rollout";
import type { Clock } from "../../kernel/clock.ts";
import type { ChangeView, GateKeeper } from "./ports.ts";
import { reasonOf } from "../../kernel/reason-of.ts";

/** A gate may open and close for days; the timeline is to stay readable. */
const NOTES_MAX = 50;

/** What came of a look at the gates. */
export interface GateLook {
  /** Of all gates of the position that were ever asked. */
  results: GateResult[];
  hasNews: boolean;
  /** What the timeline is to tell: gates that are not as they were before. */
  notes: string[];
}

/** Asks the gates of one change in turn, in the background: whoever looks never waits for metrics. */
export function createGateSession({ keeper, clock }: { keeper: GateKeeper | undefined; clock: Clock }) {
  const askedAtMs = new Map<string, number>();
  const underWay = new Set<string>();
  let answered: { gate: PlannedGate; answer: GateAnswer; nowMs: number }[] = [];
  let told = 0;

  function askDue(change: ChangeView, gates: readonly PlannedGate[]): void {
    const nowMs = clock.now().getTime();
    for (const gate of gates) {
      // With a new stage every gate is asked at once.
      const turn = `${gate.name} ${change.position.stageStartedAtMs}`;
      const isDue = nowMs - (askedAtMs.get(turn) ?? -Infinity) >= gate.intervalMs;
      if (!isDue || underWay.has(gate.name)) continue;
      askedAtMs.set(turn, nowMs);
      underWay.add(gate.name);
      void answerOne(change, gate, nowMs);
    }
  }

  async function answerOne(change: ChangeView, gate: PlannedGate, nowMs: number): Promise<void> {
    const answer = await ask(keeper, { change, gate });
    answered.push({ gate, answer, nowMs });
    underWay.delete(gate.name);
  }

  function tell(before: GateResult | undefined, result: GateResult): string[] {
    if (before?.state === result.state || (!before && result.state === "passed")) return [];
    told += 1;
    if (told > NOTES_MAX) return [];
    const state = { passed: "is passed", broken: "fails", "no-data": "has no data" }[result.state];
    const last = told === NOTES_MAX ? " (what its gates do from here on stands in the change alone)" : "";
    return [`gate ${result.name} ${state}: ${result.reason}${last}`];
  }

  return {
    /** What is known by now; asks what is due. */
    look(change: ChangeView, known: readonly GateResult[]): GateLook {
      const gates = gatesIn(change.plan, change.position);
      const results = new Map(known.map((each) => [each.name, each]));
      const notes: string[] = [];
      const fresh = answered;
      answered = [];
      for (const { gate, answer, nowMs } of fresh) {
        const before = results.get(gate.name);
        const result = weighGate(gate, answer, { before: before ?? null, nowMs });
        notes.push(...tell(before, result));
        results.set(gate.name, result);
      }
      askDue(change, gates);
      const ofPosition = gates.flatMap((gate) => results.get(gate.name) ?? []);
      return { results: ofPosition, hasNews: fresh.length > 0, notes };
    },
  };
}
export type GateSession = ReturnType<typeof createGateSession>;

async function ask(
  keeper: GateKeeper | undefined,
  { change, gate }: { change: ChangeView; gate: PlannedGate },
): Promise<GateAnswer> {
  if (!keeper) return { none: "nobody here knows metrics" };
  try {
    return await keeper.ask(change, gate);
  } catch (error) {
    return { none: reasonOf(error) };
  }
}
