import { z } from "zod";
import { duration } from "./unit-schemas.ts";
import { formatDuration } from "./units.ts";
import { CHANGE_STATES, type ChangeState } from "./words.ts";

/** Commands of a service that run around the states of its changes; a part of `mainstay.yaml`. */

const TIMEOUT_MAX_MS = 3_600_000;
const MOMENTS = ["before", "after"] as const;

/** From here a change only goes on: what fails cannot stop it. */
const ONWARDS: readonly ChangeState[] = [
  "draining",
  "restoring-instances",
  "restoring-weights",
  "draining-candidate",
];

const UNCHECKED = "nothing of a release runs before its files and its signature were checked";
const ENDED = "the lock is given back with it";
/** Why nothing can run around a state. */
const REFUSED: Partial<Record<ChangeState, string>> = {
  requested: `${UNCHECKED}; the first moment is after: preflight`,
  locked: `${UNCHECKED}; the first moment is after: preflight`,
  backup: "no change passes it; write before: migrating for what must be done before the release command",
  paused: "a pause is an operator's act, not a step of a change",
  succeeded: `${ENDED}; the last moment of a change that goes well is after: draining`,
  undone: `${ENDED}; the last moment of a change that is undone is after: draining-candidate`,
  "undo-blocked": `${ENDED}; write after: draining-candidate`,
};

const hook = z
  .strictObject({
    before: z.enum(CHANGE_STATES).optional().describe("The state that does not begin until it has ended."),
    after: z.enum(CHANGE_STATES).optional().describe("The state after whose end it runs."),
    command: z
      .string()
      .min(1, "expected a command line")
      .describe("Run once by /bin/sh in the release's directory, with its variables and MAINSTAY_STATE."),
    timeout: duration()
      .prefault("1m")
      .refine((ms) => ms > 0, "expected more than 0")
      .refine((ms) => ms <= TIMEOUT_MAX_MS, `expected at most ${formatDuration(TIMEOUT_MAX_MS)}`)
      .describe("It is ended after this time, and has failed."),
    onFailure: z
      .enum(["stop", "ignore"])
      .optional()
      .describe(
        "stop: a failure undoes the change (default where that is possible). ignore: it is recorded.",
      ),
  })
  .superRefine((value, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    if ((value.before === undefined) === (value.after === undefined))
      return refuse("before", "expected either before or after, with the name of a state");
    const { when, state } = momentOf(value);
    const reason =
      REFUSED[state] ?? (when === "before" && state === "preflight" ? REFUSED.locked : undefined);
    if (reason !== undefined) refuse(when, `nothing can run ${when} ${state}: ${reason}`);
    if (value.onFailure === "stop" && ONWARDS.includes(state))
      refuse("onFailure", `a change that is ${state} only goes on: expected ignore`);
  });
export const hookList = z.array(hook).max(50);
export type Hook = z.output<typeof hook>;

/** The moment a hook belongs to. */
export function momentOf(each: Pick<Hook, "before" | "after">): {
  when: (typeof MOMENTS)[number];
  state: ChangeState;
} {
  if (each.before !== undefined) return { when: "before", state: each.before };
  if (each.after !== undefined) return { when: "after", state: each.after };
  throw new Error("a hook stands before or after a state");
}

/** Whether a failure of the hook undoes its change. */
export function stopsChange(each: Pick<Hook, "before" | "after" | "onFailure">): boolean {
  return each.onFailure !== "ignore" && !ONWARDS.includes(momentOf(each).state);
}
