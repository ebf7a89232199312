import type { BuildResource } from "@mainstay/api";
import type { Command } from "commander";
import { show, type Context } from "../context.ts";
import { countOption } from "../options.ts";
import { ago, table } from "../output/table.ts";
import type { WithContext } from "./deploy.ts";

/** `mainstay builds …`: what was built, and what it wrote. */
export function addBuilds(program: Command, withContext: WithContext): void {
  const builds = program.command("builds").description("What was built into releases, and what it wrote");
  builds
    .command("list", { isDefault: true })
    .argument("[service]", "only of this service")
    .option("--limit <count>", "how many", countOption, 20)
    .description("The latest builds")
    .action((service: string | undefined, { limit }: { limit: number }) =>
      withContext((context) => list(context, service, limit)),
    );
  builds
    .command("show <id>")
    .description("One build and the end of its output")
    .action((id: string) => withContext((context) => showOne(context, id)));
  builds
    .command("stop <id>")
    .description("End a build that waits or runs; nothing is registered")
    .action((id: string) =>
      withContext(async (context) => {
        const build = await context.api.post<BuildResource>(`/builds/${id}/stop`);
        show(context, build, () => `${build.id} ${build.state}`);
      }),
    );
}

async function list(context: Context, service: string | undefined, limit: number): Promise<void> {
  const query = new URLSearchParams({ limit: String(limit), ...(service ? { service } : {}) });
  const { items } = await context.api.get<{ items: BuildResource[] }>(`/builds?${query}`);
  const row = (each: BuildResource) => [
    ...[each.id, each.service, each.environment, each.reuses ? "reused" : each.state],
    ...[each.requestedBy.name, ago(each.createdAt, context.nowMs()), each.release ?? each.reason ?? "–"],
  ];
  show(context, items, () =>
    items.length === 0
      ? "Nothing was built yet: build in mainstay.yaml asks for it."
      : table(["BUILD", "SERVICE", "ENVIRONMENT", "STATE", "BY", "WHEN", "RESULT"], items.map(row)),
  );
}

async function showOne(context: Context, id: string): Promise<void> {
  const build = await context.api.get<BuildResource>(`/builds/${id}`);
  show(context, build, () => {
    const facts = [
      ["service", `${build.service} in ${build.environment}`],
      ["state", build.reason === null ? build.state : `${build.state}: ${build.reason}`],
      ["command", build.command],
      ["source", build.sourceDigest],
      ["release", build.release ?? "none"],
      ...(build.reuses ? [["reuses", build.reuses]] : []),
    ];
    return [table(["BUILD", build.id], facts), ...(build.output ? ["", build.output] : [])].join("\n");
  });
}
