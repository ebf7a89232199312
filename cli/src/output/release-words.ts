import type { ReleaseDiffResource } from "@mainstay/api";

type Components = NonNullable<ReleaseDiffResource["components"]>;

/** What is different, in one line: "packages 2 added, 1 changed · variables +A −B ~C · files 3 changed". */
export function diffLine(diff: ReleaseDiffResource): string {
  const parts = [
    componentCounts(diff.components),
    variables(diff),
    imageCounts(diff),
    fileCounts(diff.files),
  ];
  const told = parts.filter((part) => part !== "");
  return told.length === 0 ? "nothing is different" : told.join(" · ");
}

/** What is different, name by name. */
export function diffWords(diff: ReleaseDiffResource): string {
  const { components, env, secrets, images, files } = diff;
  return [
    ...section(
      "Packages",
      components === null ? ["one of them does not say what it is made of"] : packageLines(components),
    ),
    ...section("Variables", signed(env)),
    ...section("Secrets", signed({ ...secrets, changed: [] })),
    ...section(
      "Images",
      images.map((each) => `${each.process}: ${each.from ?? "none"} → ${each.to ?? "none"}`),
    ),
    ...section("Files", [
      files === null ? "those of one of them were removed" : fileCounts(files) || "all the same",
    ]),
  ].join("\n");
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

function packageLines({ added, removed, changed }: Components): string[] {
  const lines = [
    ...added.map((each) => `+ ${each.name} ${each.versions.join(", ")}`),
    ...removed.map((each) => `- ${each.name} ${each.versions.join(", ")}`),
    ...changed.map((each) => `~ ${each.name} ${each.from.join(", ")} → ${each.to.join(", ")}`),
  ];
  return lines.length === 0 ? ["all the same"] : lines;
}

function componentCounts(components: ReleaseDiffResource["components"]): string {
  if (components === null) return "";
  const { added, removed, changed } = components;
  return counts("packages", { added: added.length, removed: removed.length, changed: changed.length });
}

function imageCounts({ images }: ReleaseDiffResource): string {
  return images.length === 0 ? "" : `images of ${images.map((each) => each.process).join(", ")}`;
}

function fileCounts(files: ReleaseDiffResource["files"]): string {
  return files === null ? "" : counts("files", files);
}

function counts(
  noun: string,
  { added, removed, changed }: { added: number; removed: number; changed: number },
): string {
  const told = Object.entries({ added, removed, changed }).filter(([, count]) => count > 0);
  return told.length === 0 ? "" : `${noun} ${told.map(([what, count]) => `${count} ${what}`).join(", ")}`;
}

function variables({ env, secrets }: ReleaseDiffResource): string {
  const names = [...signed(env), ...signed({ ...secrets, changed: [] })];
  return names.length === 0 ? "" : `variables ${names.join(", ")}`;
}

function signed({ added, removed, changed }: ReleaseDiffResource["env"]): string[] {
  return [
    ...added.map((name) => `+${name}`),
    ...removed.map((name) => `-${name}`),
    ...changed.map((name) => `~${name}`),
  ];
}
