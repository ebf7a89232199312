type Version = [major: number, minor: number, patch: number];

interface Bound {
  isLower: boolean;
  isInclusive: boolean;
  version: Version;
}

/**
 * Whether a version lies in a range as package.json writes them (node-semver's grammar without pre-releases):
 * "24", "^20.11", "~22.1.0", ">=20 <25", "18 - 20", "18.x || >=20". Null when the range is not understood.
 */
export function isInRange(version: string, range: string): boolean | null {
  const exact = readVersion(version);
  const alternatives = range.split("||").map((each) => boundsOf(each.trim()));
  if (!exact || alternatives.some((each) => each === null)) return null;
  return alternatives.some((bounds) => bounds?.every((bound) => keeps(exact.version, bound)));
}

function boundsOf(text: string): Bound[] | null {
  const hyphen = /^(\S+)\s+-\s+(\S+)$/.exec(text);
  const parts = hyphen
    ? [`>=${hyphen[1]}`, `<=${hyphen[2]}`]
    : text.split(/\s+/).filter((each) => each !== "");
  const joined = parts.join(" ").replace(/(>=|<=|>|<|=|\^|~)\s+/g, "$1");
  const bounds: Bound[] = [];
  for (const each of joined.split(" ")) {
    const found = comparatorOf(each);
    if (!found) return null;
    bounds.push(...found);
  }
  return bounds;
}

function comparatorOf(text: string): Bound[] | null {
  if (text === "" || text === "*") return [];
  const match = /^(>=|<=|>|<|=|\^|~)?v?(.+)$/.exec(text);
  const read = readVersion(match?.[2] ?? "");
  if (!match || !read) return null;
  const { version, given } = read;
  const lower: Bound = { isLower: true, isInclusive: true, version };
  const until = (place: number): Bound => ({
    isLower: false,
    isInclusive: false,
    version: next(version, place),
  });
  switch (match[1]) {
    case ">=":
      return [lower];
    case ">":
      return [
        {
          ...lower,
          isInclusive: given === 3,
          version: given === 3 ? next(version, 2) : next(version, given - 1),
        },
      ];
    case "<":
      return [{ isLower: false, isInclusive: false, version }];
    case "<=":
      return [given === 3 ? { isLower: false, isInclusive: true, version } : until(given - 1)];
    case "^":
      return [
        lower,
        until(
          Math.max(
            0,
            Math.min(
              version.findIndex((part) => part > 0),
              given - 1,
            ),
          ),
        ),
      ];
    case "~":
      return [lower, until(given === 1 ? 0 : 1)];
    default:
      return given === 0 ? [] : [lower, until(given - 1)];
  }
}

/** "20.x" and "20" name one part; what is not named counts as 0. */
function readVersion(text: string): { version: Version; given: number } | null {
  const parts = text.replace(/[-+].*$/, "").split(".");
  const named = parts.slice(0, parts.findIndex(isWildcard) === -1 ? 3 : parts.findIndex(isWildcard));
  if (parts.length > 3 || !named.every((each) => /^\d+$/.test(each))) return null;
  const [major = 0, minor = 0, patch = 0] = named.map(Number);
  return { version: [major, minor, patch], given: named.length };
}

function isWildcard(part: string): boolean {
  return part === "x" || part === "X" || part === "*";
}

/** The first version behind all that share the parts up to `place`. */
function next([major, minor, patch]: Version, place: number): Version {
  if (place <= 0) return [major + 1, 0, 0];
  return place === 1 ? [major, minor + 1, 0] : [major, minor, patch + 1];
}

function keeps(version: Version, { isLower, isInclusive, version: edge }: Bound): boolean {
  const order = compare(version, edge);
  if (order === 0) return isInclusive;
  return isLower ? order > 0 : order < 0;
}

function compare(one: Version, other: Version): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
}
