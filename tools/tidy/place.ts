/** Where a file stands in the house: its wing, its room, and whether it is the room's door. */
export interface Place {
  wing: Wing;
  /** The folder that keeps its files to itself. */
  room: string;
  /** Others may import this file. */
  isDoor: boolean;
  isTest: boolean;
}

export const WINGS = [
  "api",
  "engines",
  "agent",
  "kernel",
  "core",
  "signals",
  "drivers",
  "apps",
  "composition",
  "cli",
  "tooling",
] as const;
export type Wing = (typeof WINGS)[number];

/** In the order they are tried; the first group of the pattern is the room, what follows it lies inside. */
const PLACES: [Wing, RegExp][] = [
  ["engines", /^(engines\/[^/]+)\//],
  ["api", /^(api)\//],
  ["agent", /^(agent)\//],
  ["cli", /^(cli)\//],
  ["kernel", /^(server\/src\/kernel\/[^/]+)/],
  ["core", /^(server\/src\/core\/[^/]+)/],
  ["signals", /^(server\/src\/signals\/[^/]+)/],
  ["drivers", /^(server\/src\/drivers\/[^/]+)/],
  ["apps", /^(server\/src\/apps\/[^/]+)/],
  ["composition", /^(server\/src)\/[^/]+$/],
  ["tooling", /^(tests|bench|conformance|tools|examples|docs)\//],
  ["tooling", /^([^/]+)$/],
];

/** Null for a file in a folder that this table does not know. */
export function placeOf(path: string): Place | null {
  for (const [wing, pattern] of PLACES) {
    const room = pattern.exec(path)?.[1];
    if (room === undefined) continue;
    return { wing, room, isDoor: isDoor(path, room), isTest: isTestPath(path) };
  }
  return null;
}

/** A test, or what only tests import: shared support, a room's own `testing/`, and fake twins. */
export function isTestPath(path: string): boolean {
  return path.startsWith("tests/") || /\.test\.ts$|\/testing\/|\/fake(-[a-z-]+)?\.ts$/.test(path);
}

/** Code that runs in the product, unlike tests, benchmarks and tools. */
export function isProductPath(path: string): boolean {
  const place = placeOf(path);
  return place !== null && place.wing !== "tooling" && !place.isTest;
}

/** A folder's door is its index.ts; a room of one file, as the kernel has some, is its own door. */
function isDoor(path: string, room: string): boolean {
  return path === room || path === `${room}/index.ts`;
}
