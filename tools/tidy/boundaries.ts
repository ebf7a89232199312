import { isBuiltin } from "node:module";
import type { Finding } from "./finding.ts";
import { isTestPath, placeOf, type Place, type Wing } from "./place.ts";
import { resolveImport, type Repository } from "./repository.ts";
import type { Import, Source } from "./source.ts";

/** Who may know whom (docs/architecture.md). Rooms of one wing meet only where the wing names itself. */
const MAY_KNOW: Record<Wing, readonly Wing[] | "everybody"> = {
  api: [],
  engines: [],
  agent: ["api", "engines"],
  kernel: ["kernel", "engines", "api"],
  core: ["core", "kernel", "engines", "api"],
  signals: ["signals", "core", "kernel", "engines", "api"],
  drivers: ["drivers", "core", "kernel", "engines", "api", "agent"],
  apps: ["apps", "drivers", "signals", "core", "kernel", "engines", "api"],
  composition: "everybody",
  cli: ["composition", "agent", "engines", "api"],
  tooling: "everybody",
};

/** What engines, schemas and pure rules take as a parameter instead of importing it. */
const INPUT_OUTPUT =
  /^(child_process|cluster|dgram|dns|fs|http2?|https|net|process|readline|timers|tls|worker_threads)$/;

/** Every import leads where the wing of its file may look, and enters a room only through its door. */
export function checkBoundaries(repository: Repository): Finding[] {
  return repository.sources.flatMap((source) => {
    const place = placeOf(source.path);
    if (place === null) return [finding(source, 1, "lies where tools/tidy/place.ts knows no room")];
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
  return judgeRoom(importer, each, { ...there, path: target });
}

/** A door may hand out the fake twin; pure rules know the rest of their room by its types at most. */
function judgeInside({ source, place }: Importer, { isTypeOnly }: Import, target: string): string | null {
  if (place.isTest) return null;
  const isTwinAtDoor = place.isDoor && target.endsWith("/fake.ts");
  if (isTestPath(target) && !isTwinAtDoor) return `only tests may import ${target}`;
  if (isTypeOnly || !source.path.includes("/domain/")) return null;
  return isPure(target) ? null : `domain/ holds pure rules: it may not import ${target}`;
}

function judgeRoom(
  { source, place }: Importer,
  each: Import,
  target: Place & { path: string },
): string | null {
  if (place.wing === "tooling") return null;
  if (target.isTest)
    return place.isTest && isForOthers(target.path) ? null : `only tests may import ${target.path}`;
  const known = MAY_KNOW[place.wing];
  if (known !== "everybody" && !known.includes(target.wing)) {
    return `${place.wing} may not know ${target.wing} (${target.path})`;
  }
  const isRule = source.path.includes("/domain/") && !place.isTest && !each.isTypeOnly;
  if (isRule && !isPure(target.path)) return `domain/ holds pure rules: it may not import ${target.path}`;
  if (each.specifier.startsWith("@mainstay/")) return null;
  if (workspaceOf(source.path) !== workspaceOf(target.path))
    return `import ${target.path} by the name of its workspace`;
  return target.isDoor || place.wing === "composition" ? null : `enter ${target.room} through its index.ts`;
}

function judgeBuiltin({ source, place }: Importer, specifier: string): string | null {
  const name = specifier.replace(/^node:/, "").split("/")[0] ?? "";
  if (place.isTest || !isPure(source.path) || !INPUT_OUTPUT.test(name)) return null;
  return `${specifier} is input and output: take it as a parameter`;
}

function isPure(path: string): boolean {
  return /^(api|engines)\//.test(path) || path.includes("/domain/");
}

/** What tests may import from anywhere: the twin that a room keeps for them, and the shared support. */
function isForOthers(path: string): boolean {
  return path.endsWith("/fake.ts") || path.startsWith("tests/support/");
}

function workspaceOf(path: string): string {
  return path.split("/", path.startsWith("engines/") ? 2 : 1).join("/");
}

function finding(source: Source, line: number, message: string): Finding {
  return { rule: "boundary", path: source.path, line, message };
}
