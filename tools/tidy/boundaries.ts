import { isBuiltin } from "node:module";
import type { Finding } from "./finding.ts";
import { placeOf, type Place, type Wing } from "./place.ts";
import { resolveImport, type Repository } from "./repository.ts";
import type { Import, Source } from "./source.ts";

/** Who may know whom (docs/architecture.md). Rooms of one wing meet only where the wing names itself. */
const MAY_KNOW: Record<Wing, readonly Wing[] | "everybody"> = {
  api: [],
  engines: [],
  agent: ["api"],
  kernel: ["kernel", "engines", "api"],
  core: ["core", "kernel", "engines", "api"],
  signals: ["signals", "core", "kernel", "engines", "api"],
  drivers: ["drivers", "core", "kernel", "engines", "api", "agent"],
  apps: ["apps", "drivers", "signals", "core", "kernel", "engines", "api"],
  composition: "everybody",
  cli: ["composition", "agent", "api"],
  tooling: "everybody",
};

/** What engines, schemas and pure rules take as a parameter instead of importing it. */
const INPUT_OUTPUT = new Set(
  `child_process cluster dgram dns fs http http2 https net process readline timers tls worker_threads`.split(
    " ",
  ),
);

/** Every import leads where the wing of its file may look, and enters a room only through its door. */
export function checkBoundaries(repository: Repository): Finding[] {
  return repository.sources.flatMap((source) => {
    const place = placeOf(source.path);
    if (place === null)
      return [finding(source, 1, "lies in a folder that tools/tidy/place.ts does not know")];
    return source.imports.flatMap((each) => {
      const message = judgeImport(repository, { source, place }, each);
      return message === null ? [] : [finding(source, each.line, message)];
    });
  });
}

interface Importer {
  source: Source;
  place: Place;
}

function judgeImport(repository: Repository, importer: Importer, each: Import): string | null {
  const { specifier } = each;
  if (isBuiltin(specifier)) return judgeBuiltin(importer, specifier);
  const target = resolveImport(repository, importer.source.path, specifier);
  if (target === null) {
    return specifier.startsWith("@mainstay/") ? `${specifier} is no entry point of that workspace` : null;
  }
  const there = placeOf(target);
  if (there === null) return `imports ${target}, which lies outside of every room`;
  if (there.room === importer.place.room) return judgeInside(importer, each, target);
  return judgeRoom(importer, specifier, { ...there, path: target });
}

/** Pure rules keep away from the rest of their own room too; its types they may know. */
function judgeInside({ source, place }: Importer, { isTypeOnly }: Import, target: string): string | null {
  if (isTypeOnly || place.isTest || !source.path.includes("/domain/")) return null;
  return isPure(target) ? null : `domain/ holds pure rules: it may not import ${target}`;
}

function judgeRoom(
  { source, place }: Importer,
  specifier: string,
  target: Place & { path: string },
): string | null {
  if (place.wing === "tooling") return null;
  if (place.isTest && isForTests(target.path)) return null;
  const known = MAY_KNOW[place.wing];
  if (known !== "everybody" && !known.includes(target.wing)) {
    return `${place.wing} may not know ${target.wing} (${target.path})`;
  }
  if (isPure(source.path) && !place.isTest && !["engines", "api"].includes(target.wing)) {
    return `domain/ holds pure rules: it may not import ${target.path}`;
  }
  if (specifier.startsWith("@mainstay/")) return null;
  if (workspaceOf(source.path) !== workspaceOf(target.path))
    return `import ${target.path} by the name of its workspace`;
  return target.isDoor || place.wing === "composition" ? null : `enter ${target.room} through its index.ts`;
}

function judgeBuiltin({ source, place }: Importer, specifier: string): string | null {
  const name = specifier.replace(/^node:/, "").split("/")[0] ?? "";
  if (place.isTest || !isPure(source.path) || !INPUT_OUTPUT.has(name)) return null;
  return `${specifier} is input and output: take it as a parameter`;
}

function isPure(path: string): boolean {
  return /^(api|engines)\//.test(path) || path.includes("/domain/");
}

/** What a test may import from anywhere: the twins that rooms keep for it, and the shared support. */
function isForTests(path: string): boolean {
  return path.endsWith("/fake.ts") || path.startsWith("tests/support/");
}

function workspaceOf(path: string): string {
  return path.split("/", path.startsWith("engines/") ? 2 : 1).join("/");
}

function finding(source: Source, line: number, message: string): Finding {
  return { rule: "boundary", path: source.path, line, message };
}
