const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/^mainstay\//i, "Mainstay CLI"],
  [/\bEdgA?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bFirefox\//, "Firefox"],
  [/\b(Chrome|CriOS|Chromium)\//, "Chrome"],
  [/\bVersion\/.*\bSafari\//, "Safari"],
  [/^curl\//i, "curl"],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\bAndroid\b/, "Android"],
  [/\b(iPhone|iPad|iOS)\b/, "iOS"],
  [/\bWindows\b/, "Windows"],
  [/\b(Mac OS X|Macintosh|darwin)\b/i, "macOS"],
  [/\bLinux\b/i, "Linux"],
];
const UNKNOWN = "an unknown program";

/** "Firefox on Linux": what a person recognises a device by. Versions say nothing and change too often. */
export function describeUserAgent(header: string | undefined): string {
  const text = (header ?? "").slice(0, 512);
  const program = firstMatch(PROGRAMS, text) ?? UNKNOWN;
  const system = firstMatch(SYSTEMS, text);
  return system === null ? program : `${program} on ${system}`;
}

function firstMatch(table: readonly (readonly [RegExp, string])[], text: string): string | null {
  return table.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}
