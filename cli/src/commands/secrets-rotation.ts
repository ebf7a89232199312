import type { RotationResource, SealingResource } from "@mainstay/api";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { table } from "../output/table.ts";
import type { WithContext } from "./deploy.ts";

const LOOK_MS = 300;

interface RotateOptions {
  wrappingKey: boolean;
  dataKeys: boolean;
  detach: boolean;
  reason?: string;
}

/** `mainstay secrets status` and `rotate`: the keys of everything that is sealed in the database. */
export function addRotation(secrets: Command, withContext: WithContext): void {
  secrets
    .command("status")
    .description("How much is sealed with which key and in which generation, and how far a rotation is")
    .action(() =>
      withContext(async (context) => {
        const status = await context.api.get<SealingResource>("/secrets");
        show(context, status, () => describe(status));
      }),
    );
  secrets
    .command("rotate")
    .option("--wrapping-key", "a new key around every data key; fast, nothing is encrypted anew", false)
    .option("--data-keys", "every object encrypted anew under a data key of its own", false)
    .option("--detach", "begin it and return", false)
    .option("--reason <text>", "for the audit log")
    .description("Replace keys while everything runs; cut off anywhere, it goes on by itself")
    .addHelpText(
      "after",
      "\nAfter a rotation of the wrapping key the recovery key is another one: export it again, and keep the old\none as long as backups from before.\n\nExamples:\n  mainstay secrets rotate --wrapping-key\n  mainstay secrets rotate --data-keys --detach",
    )
    .action((options: RotateOptions) => withContext((context) => rotate(context, options)));
}

async function rotate(context: Context, options: RotateOptions): Promise<void> {
  const { wrappingKey, dataKeys, detach, reason = null } = options;
  if (wrappingKey === dataKeys)
    throw new CliError("say --wrapping-key or --data-keys, one of them", EXIT.usage);
  const kind = wrappingKey ? "wrapping-key" : "data-keys";
  let rotation = await context.api.post<RotationResource>("/secrets/rotations", { kind, reason });
  while (!detach && rotation.finishedAt === null) {
    context.status(progressOf(rotation));
    await sleep(LOOK_MS);
    rotation = await context.api.get<RotationResource>(`/secrets/rotations/${rotation.id}`);
  }
  show(context, rotation, () => resultOf(rotation));
  if (rotation.finishedAt !== null && rotation.outcome !== "complete")
    throw new CliError(`${rotation.outcome}`, EXIT.failed, "'mainstay secrets status' names the columns.");
}

function progressOf({ phase, done, already, objects }: RotationResource): string {
  return `${phase} … ${Math.min(objects, done + already)} of ${objects}`;
}

function resultOf(rotation: RotationResource): string {
  const { id, done, newKey, generation, finishedAt } = rotation;
  if (finishedAt === null) return `${id} has begun; mainstay secrets status says how far it is`;
  if (newKey === null) return `${done} objects sealed anew, generation ${generation}`;
  return `${done} objects under the key ${newKey}; next: mainstay secrets recovery-key export`;
}

function describe({ source, keys, generations, columns, servers, rotation }: SealingResource): string {
  const rows = keys.map((each) => [each.id, each.state, String(each.objects), each.isAtHand ? "yes" : "no"]);
  const rounds = generations.map((each) => `${each.objects} in generation ${each.generation}`);
  return [
    table(["KEY", "STATE", "OBJECTS", "AT HAND"], rows),
    "",
    `keys from   ${source}`,
    `data keys   ${rounds.join(", ") || "none"}`,
    `servers     ${servers}`,
    ...columns.map((each) => `${String(each.objects).padStart(9)}   ${each.column}`),
    ...(rotation
      ? [`rotation    ${rotation.id} ${rotation.kind}: ${rotation.outcome ?? progressOf(rotation)}`]
      : []),
  ].join("\n");
}
