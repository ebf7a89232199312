import type { Finding } from "./finding.ts";
import { placeOf } from "./place.ts";
import { resolveImport, type Repository } from "./repository.ts";

/** No file and no room is reachable from itself. */
export function checkCircles(repository: Repository): Finding[] {
  const known = new Set(repository.sources.map((source) => source.path));
  const files = new Map<string, Set<string>>();
  const rooms = new Map<string, Set<string>>();
  for (const source of repository.sources) {
    const from = placeOf(source.path);
    for (const each of source.imports) {
      const target = resolveImport(repository, source.path, each.specifier);
      if (target === null || !known.has(target)) continue;
      link(files, source.path, target);
      const to = placeOf(target);
      if (from && to && !from.isTest && isRoom(from.wing) && isRoom(to.wing) && from.room !== to.room) {
        link(rooms, from.room, to.room);
      }
    }
  }
  return [
    ...findCircles(files).map((circle) => finding(circle, "import each other in a circle")),
    ...findCircles(rooms).map((circle) => finding(circle, "know each other in a circle")),
  ];
}

/** The composition root and the tools know everybody on purpose. */
function isRoom(wing: string): boolean {
  return wing !== "composition" && wing !== "tooling";
}

function link(graph: Map<string, Set<string>>, from: string, to: string): void {
  const targets = graph.get(from) ?? new Set();
  graph.set(from, targets.add(to));
}

function finding(circle: string[], message: string): Finding {
  const [first = ""] = circle;
  return { rule: "circle", path: first, line: 1, message: `${[...circle, first].join(" → ")} ${message}` };
}

/** One shortest circle for each node that lies on one and is not already named by another. */
export function findCircles(graph: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const named = new Set<string>();
  const circles: string[][] = [];
  for (const start of [...graph.keys()].toSorted()) {
    if (named.has(start)) continue;
    const circle = shortestCircle(graph, start);
    if (circle === null) continue;
    for (const node of circle) named.add(node);
    circles.push(circle);
  }
  return circles;
}

/** Breadth first from the start until an edge leads back to it. */
function shortestCircle(graph: ReadonlyMap<string, ReadonlySet<string>>, start: string): string[] | null {
  const cameFrom = new Map<string, string | null>([[start, null]]);
  for (const node of cameFrom.keys()) {
    for (const next of graph.get(node) ?? []) {
      if (next === start) return pathTo(cameFrom, node);
      if (!cameFrom.has(next)) cameFrom.set(next, node);
    }
  }
  return null;
}

function pathTo(cameFrom: ReadonlyMap<string, string | null>, end: string): string[] {
  const path: string[] = [];
  for (let node: string | null = end; node !== null; node = cameFrom.get(node) ?? null) path.unshift(node);
  return path;
}
