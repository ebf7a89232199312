import type { ChangeResource, TaskResource, TimelineEntry } from "@mainstay/api";
import { formatDuration } from "@mainstay/api/plain";
import type { Command } from "commander";
import { show, type Context } from "../context.ts";
import { approvalLines } from "../output/approval-words.ts";
import { gateLine } from "../output/gate-words.ts";
import { entryLine, evidenceLine, outcomeLine, TASK_WORDS } from "../output/change-words.ts";
import { ago, table } from "../output/table.ts";
import { countOption, durationOption } from "../options.ts";
import type { WithContext } from "./deploy.ts";
import { addApprovals } from "./approvals.ts";
import { followChange } from "./follow.ts";
import { addReport } from "./report.ts";

interface Page<Item> {
  items: Item[];
  next: string | null;
}

/** `mainstay change …`: look at changes and steer them. */
export function addChange(program: Command, withContext: WithContext): void {
  const change = program.command("change").description("Look at changes and steer them");
  change
    .command("list")
    .description("The latest changes")
    .option("--service <name>", "only of this service")
    .option("--limit <count>", "how many", countOption, 20)
    .action((options: { service?: string; limit: number }) =>
      withContext((context) => list(context, options)),
    );
  change
    .command("show <id>")
    .description("One change: where it stands, its evidence, its timeline")
    .action((id: string) => withContext((context) => showOne(context, id)));
  change
    .command("watch <id>")
    .description("Follow a change to its end")
    .option("--timeout <duration>", "stop watching after this long", durationOption)
    .action((id: string, options: { timeout?: number }) =>
      withContext(async (context) => {
        await followChange(context, id, {
          untilBaking: false,
          isStreaming: true,
          timeoutMs: options.timeout ?? null,
        });
      }),
    );
  change
    .command("replay <id>")
    .description("Compute the latest evidence again from the stored samples and compare")
    .action((id: string) => withContext((context) => replay(context, id)));
  addCommand(change, withContext, {
    verb: "pause",
    description: "Hold the weights; the judge keeps watching",
  });
  addCommand(change, withContext, { verb: "resume", description: "Go on where it was paused" });
  addCommand(change, withContext, {
    verb: "abort",
    description: "Restore the weights and take the candidate away",
  });
  addCommand(change, withContext, {
    verb: "cancel",
    description: "Take a change that waits behind another out of the queue",
  });
  addApprovals(change, withContext);
  addPromote(change, withContext);
  addReport(change, withContext);
}

function addCommand(
  parent: Command,
  withContext: WithContext,
  words: { verb: string; description: string },
): void {
  parent
    .command(`${words.verb} <id>`)
    .description(words.description)
    .option("--reason <text>", "for the timeline and the audit log")
    .action((id: string, options: { reason?: string }) =>
      withContext((context) => order(context, { id, verb: words.verb, ...options })),
    );
}

function addPromote(parent: Command, withContext: WithContext): void {
  parent
    .command("promote <id>")
    .description("Go to the next stage now, whatever the evidence")
    .option("--full", "to 100 % at once", false)
    .option("--reason <text>", "for the timeline and the audit log")
    .action((id: string, options: { full: boolean; reason?: string }) =>
      withContext((context) =>
        order(context, { id, verb: options.full ? "promote-full" : "promote", ...options }),
      ),
    );
}

async function order(context: Context, wish: { id: string; verb: string; reason?: string }): Promise<void> {
  const change = await context.api.post<ChangeResource>(`/changes/${wish.id}/${wish.verb}`, {
    reason: wish.reason ?? null,
  });
  show(context, change, () => `${change.id} is ${change.state}`);
}

async function list(context: Context, options: { service?: string; limit: number }): Promise<void> {
  const query = new URLSearchParams({
    limit: String(options.limit),
    ...(options.service ? { service: options.service } : {}),
  });
  const { items } = await context.api.get<Page<ChangeResource>>(`/changes?${query}`);
  show(context, items, () => {
    if (items.length === 0) return "No changes yet. Ship something: mainstay deploy ./my-service";
    const rows = items.map((each) => [
      each.id,
      each.kind,
      each.service,
      each.environment,
      each.state,
      ago(each.createdAt, context.nowMs()),
      each.outcome ?? "",
    ]);
    return table(["CHANGE", "KIND", "SERVICE", "ENVIRONMENT", "STATE", "REQUESTED", "OUTCOME"], rows);
  });
}

async function showOne(context: Context, id: string): Promise<void> {
  const change = await context.api.get<ChangeResource>(`/changes/${id}`);
  const { items: timeline } = await context.api.get<Page<TimelineEntry>>(`/changes/${id}/timeline`);
  const { items: tasks } = await context.api.get<Page<TaskResource>>(`/tasks?change=${id}`);
  show(context, { ...change, timeline, tasks }, () =>
    [
      `${change.id}  ${change.kind} of ${change.service} in ${change.environment}`,
      `candidate  ${change.candidate}`,
      `stable     ${change.stable ?? "none"}`,
      `state      ${change.state}`,
      ...approvalLines(change),
      ...(change.finishedAt ? [`outcome    ${outcomeLine(change)}`] : []),
      ...(change.evidence ? [`evidence   ${evidenceLine(change.evidence)}`] : []),
      ...change.gates.map((gate) => `gate       ${gateLine(gate)}`),
      "",
      ...timeline.map((entry) => entryLine(entry, change.stages)),
      ...tasks.flatMap(taskLines),
    ].join("\n"),
  );
}

function taskLines(task: TaskResource): string[] {
  const took = task.finishedAt
    ? formatDuration(Date.parse(task.finishedAt) - Date.parse(task.createdAt))
    : "so far";
  const how = task.reason ? `${task.state}: ${task.reason}` : task.state;
  const output = task.output === "" ? [] : task.output.split("\n").map((line) => `  | ${line}`);
  return [
    "",
    `${TASK_WORDS[task.kind]}${task.kind === "hook" ? ` ${task.name}` : ""} ${task.id}, attempt ${task.attempt}, ${how} (${took})`,
    `  $ ${task.command}`,
    ...output,
  ];
}

async function replay(context: Context, id: string): Promise<void> {
  const answer = await context.api.get<{ isEqual: boolean; samples: number }>(`/changes/${id}/replay`);
  const words = answer.isEqual
    ? "the stored evidence follows from them"
    : "THE STORED EVIDENCE DOES NOT FOLLOW FROM THEM";
  show(context, answer, () => `${answer.samples} stored samples replayed: ${words}`);
}
