import type { CollectionResource, ReleaseResource } from "@mainstay/api";
import { formatSize } from "@mainstay/api/plain";
import type { Command } from "commander";
import { show, type Context } from "../context.ts";
import { countOption } from "../options.ts";
import { diffFromStable, diffOf } from "../release-diff.ts";
import { diffWords } from "../output/release-words.ts";
import { ago, table } from "../output/table.ts";
import type { WithContext } from "./deploy.ts";

interface Page<Item> {
  items: Item[];
}

/** `mainstay releases …`: what was shipped, what it is made of, and making room. */
export function addReleases(program: Command, withContext: WithContext): void {
  const releases = program
    .command("releases")
    .description("What was shipped, what it is made of, and what of it is kept")
    .addHelpText(
      "after",
      "\nExamples:\n  mainstay releases                     the latest of every service\n  mainstay releases diff rel_1 rel_2    what is different in the second\n  mainstay releases sbom rel_1 > bom.json\n  mainstay releases gc --dry-run        what would make room",
    );
  releases
    .command("list", { isDefault: true })
    .argument("[service]", "only of this service")
    .option("--limit <count>", "how many", countOption, 20)
    .description("The latest releases")
    .action((service: string | undefined, options: { limit: number }) =>
      withContext((context) => list(context, service, options.limit)),
    );
  releases
    .command("show")
    .argument("<release>", "a release")
    .description("One release, and what is different from the one that serves")
    .action((id: string) => withContext((context) => showOne(context, id)));
  releases
    .command("diff")
    .argument("<from>", "a release")
    .argument("<to>", "another one")
    .description("What is different in the second: packages, names of variables, numbers of files")
    .action((from: string, to: string) =>
      withContext(async (context) => {
        const diff = await diffOf(context, from, to);
        show(context, diff, () => diffWords(diff));
      }),
    );
  releases
    .command("sbom")
    .argument("<release>", "a release")
    .description("What a release is made of, as CycloneDX 1.6 (JSON)")
    .action((id: string) =>
      withContext(async (context) =>
        context.print(
          JSON.stringify(await context.api.get(`/releases/${encodeURIComponent(id)}/sbom`), null, 2),
        ),
      ),
    );
  releases
    .command("gc")
    .option("--dry-run", "say what would go, remove nothing", false)
    .description("Remove the files of releases that nobody needs; happens every hour by itself")
    .addHelpText(
      "after",
      "\nKept are what serves, what is on trial, what could be gone back to, and the newest of each service\n(retention.releases).",
    )
    .action((options: { dryRun: boolean }) => withContext((context) => collect(context, options.dryRun)));
}

async function list(context: Context, service: string | undefined, limit: number): Promise<void> {
  const query = new URLSearchParams({ limit: String(limit), ...(service ? { service } : {}) });
  const { items } = await context.api.get<Page<ReleaseResource>>(`/releases?${query}`);
  show(context, items, () => {
    if (items.length === 0) return "No releases yet. Ship something: mainstay deploy ./my-service";
    return releasesTable(items, context.nowMs());
  });
}

function releasesTable(items: ReleaseResource[], nowMs: number): string {
  const rows = items.map((each) => [
    ...[each.id, each.service, each.environment, each.version ?? "–"],
    ...[each.digest.slice(0, 19), ago(each.createdAt, nowMs), each.createdBy.name],
    each.collectedAt === null ? "" : "files removed",
  ]);
  return table(["RELEASE", "SERVICE", "ENVIRONMENT", "VERSION", "DIGEST", "REGISTERED", "BY", ""], rows);
}

async function showOne(context: Context, id: string): Promise<void> {
  const release = await context.api.get<ReleaseResource>(`/releases/${encodeURIComponent(id)}`);
  const diff = await diffFromStable(context, release);
  show(context, { ...release, diff }, () =>
    [
      `${release.id}  ${release.service} in ${release.environment}, version ${release.version ?? "unknown"}`,
      `digest      ${release.digest}`,
      `registered  ${release.createdAt} by ${release.createdBy.name}`,
      ...(release.collectedAt === null ? [] : [`files       removed ${release.collectedAt}`]),
      ...(diff ? ["", `Compared with ${diff.from}, which serves:`, diffWords(diff)] : []),
    ].join("\n"),
  );
}

async function collect(context: Context, dryRun: boolean): Promise<void> {
  const collection = await context.api.post<CollectionResource>("/releases/collect", { dryRun });
  show(context, collection, () => {
    const { removed, kept, freedBytes } = collection;
    const told = dryRun ? "would be freed" : "freed";
    const sum = `${removed.length} releases, ${formatSize(freedBytes)} ${told}; ${kept} releases keep their files`;
    return removed.length === 0 ? sum : `${releasesTable(removed, context.nowMs())}\n\n${sum}`;
  });
}
