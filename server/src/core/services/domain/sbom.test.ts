import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { createSbomValidator } from "../../../../../tests/support/cyclonedx.ts";
import { readSbom } from "../read-sbom.ts";
import { readLockfile } from "./lockfile.ts";
import { makeSbom, sbomDocument } from "./sbom.ts";

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;
const REGISTRY = fileURLToPath(new URL("../../../../../examples/registry/6.10.4", import.meta.url));

let isValid: (document: unknown) => string[];

beforeAll(async () => {
  isValid = await createSbomValidator();
});

const locked = (packages: Record<string, object>) => readLockfile(JSON.stringify({ packages })) ?? [];
const subject = {
  digest: DIGEST,
  name: "@acme/shop",
  version: "1.0.0",
  needs: ["a"],
  readFrom: "package-lock.json",
};

describe("what a release is made of", () => {
  it("is a CycloneDX 1.6 document by the official schema, for a real application", async () => {
    const sbom = await readSbom(REGISTRY, DIGEST);
    expect(isValid(sbom)).toEqual([]);
    expect(sbomDocument.parse(sbom)).toEqual(sbom);
    expect(sbom?.components.length).toBeGreaterThan(100);
    expect(sbom?.components.find((each) => each.name === "verdaccio")).toMatchObject({
      purl: "pkg:npm/verdaccio@6.10.4",
      scope: "required",
      hashes: [{ alg: "SHA-512", content: expect.stringMatching(/^[0-9a-f]{128}$/) }],
    });
    const refs = new Set(["release", ...(sbom?.components ?? []).map((each) => each["bom-ref"])]);
    expect(
      sbom?.dependencies.flatMap((each) => [each.ref, ...each.dependsOn]).filter((ref) => !refs.has(ref)),
    ).toEqual([]);
    expect(sbom?.dependencies.find((each) => each.ref === "release")?.dependsOn).toContain(
      "pkg:npm/verdaccio@6.10.4",
    );
  });

  it("says nothing where the files say nothing", async () => {
    expect(await readSbom("/nonexistent", DIGEST)).toBeNull();
    expect(readLockfile("{}")).toBeNull();
    expect(readLockfile("no json")).toBeNull();
  });

  it("finds a dependency where node would, names scopes, and keeps odd licences as words", () => {
    const packages = locked({
      "": { name: "shop" },
      "node_modules/a": { version: "1.0.0", dependencies: { "@x/b": "*" }, license: "SEE LICENSE IN FILE" },
      "node_modules/a/node_modules/@x/b": {
        version: "2.0.0",
        dependencies: { c: "*" },
        license: "(MIT OR Apache-2.0)",
      },
      "node_modules/@x/b": { version: "1.0.0", dev: true },
      "node_modules/c": { version: "3.0.0", optional: true },
      "node_modules/linked": { link: true, resolved: "../linked" },
    });
    const sbom = makeSbom(subject, packages);
    expect(isValid(sbom)).toEqual([]);
    expect(sbom.components.map((each) => [each["bom-ref"], each.scope])).toEqual([
      ["pkg:npm/%40x/b@1.0.0", "excluded"],
      ["pkg:npm/%40x/b@2.0.0", "required"],
      ["pkg:npm/a@1.0.0", "required"],
      ["pkg:npm/c@3.0.0", "optional"],
    ]);
    const needs = Object.fromEntries(sbom.dependencies.map((each) => [each.ref, each.dependsOn]));
    expect(needs).toMatchObject({
      release: ["pkg:npm/a@1.0.0"],
      "pkg:npm/a@1.0.0": ["pkg:npm/%40x/b@2.0.0"],
      "pkg:npm/%40x/b@2.0.0": ["pkg:npm/c@3.0.0"],
    });
    expect(sbom.components.flatMap((each) => each.licenses ?? [])).toEqual([
      { expression: "(MIT OR Apache-2.0)" },
      { license: { name: "SEE LICENSE IN FILE" } },
    ]);
  });

  it("is the same for the same files, and has a serial number of its own for others", () => {
    const packages = locked({ "node_modules/a": { version: "1.0.0" } });
    expect(makeSbom(subject, packages)).toEqual(makeSbom(subject, packages));
    const other = makeSbom({ ...subject, digest: `sha256:${"f".repeat(64)}` }, packages);
    expect(other.serialNumber).not.toBe(makeSbom(subject, packages).serialNumber);
    expect(isValid(other)).toEqual([]);
  });
});
