import { describe, expect, it } from "vitest";
import { readLockfile } from "./lockfile.ts";
import { diffReleases, type Comparable } from "./release-diff.ts";
import { makeSbom } from "./sbom.ts";

function sbomOf(packages: Record<string, string>) {
  const entries = Object.entries(packages).map(([at, version]) => [`node_modules/${at}`, { version }]);
  const locked = readLockfile(JSON.stringify({ packages: Object.fromEntries(entries) })) ?? [];
  const digest = `sha256:${"0".repeat(64)}`;
  return makeSbom({ digest, name: "shop", version: "1", needs: [], readFrom: "" }, locked);
}

const file = (path: string, content: string) => ({ path, type: "file", executable: false, content }) as const;
const NOTHING = { env: {}, secrets: [], processes: {} };
const release = (part: Partial<Comparable>): Comparable => ({
  snapshot: NOTHING,
  sbom: null,
  files: null,
  ...part,
});

describe("the difference between two releases", () => {
  it("tells packages by name, with every version they are there in", () => {
    const from = release({ sbom: sbomOf({ a: "1.0.0", b: "1.0.0", "b/node_modules/c": "1.0.0" }) });
    const to = release({ sbom: sbomOf({ a: "1.1.0", c: "2.0.0", "d/node_modules/c": "1.0.0", d: "1.0.0" }) });
    expect(diffReleases(from, to).components).toEqual({
      added: [{ name: "d", versions: ["1.0.0"] }],
      removed: [{ name: "b", versions: ["1.0.0"] }],
      changed: [
        { name: "a", from: ["1.0.0"], to: ["1.1.0"] },
        { name: "c", from: ["1.0.0"], to: ["1.0.0", "2.0.0"] },
      ],
    });
  });

  it("names variables and secrets, and shows no value of them", () => {
    const from = release({ snapshot: { ...NOTHING, env: { A: "1", B: "hush-1", C: "1" }, secrets: ["X"] } });
    const to = release({ snapshot: { ...NOTHING, env: { A: "1", B: "hush-2", D: "1" }, secrets: ["Y"] } });
    const found = diffReleases(from, to);
    expect(found).toMatchObject({
      env: { added: ["D"], removed: ["C"], changed: ["B"] },
      secrets: { added: ["Y"], removed: ["X"] },
    });
    expect(JSON.stringify(found)).not.toContain("hush");
  });

  it("tells which processes run in another image", () => {
    const image = (name?: string) => ({
      instances: 1,
      stopTimeout: 0,
      singleton: false,
      ...(name ? { image: name } : {}),
    });
    const from = release({
      snapshot: { ...NOTHING, processes: { web: image("a"), old: image("a"), job: image() } },
    });
    const to = release({
      snapshot: { ...NOTHING, processes: { web: image("b"), job: image(), new: image("b") } },
    });
    expect(diffReleases(from, to).images).toEqual([
      { process: "web", from: "a", to: "b" },
      { process: "old", from: "a", to: null },
      { process: "new", from: null, to: "b" },
    ]);
  });

  it("counts files by what became of them", () => {
    const from = release({ files: [file("a", "1"), file("b", "1"), file("c", "1")] });
    const to = release({ files: [file("a", "1"), file("b", "2"), file("d", "1"), file("e", "1")] });
    expect(diffReleases(from, to).files).toEqual({ added: 2, removed: 1, changed: 1, unchanged: 1 });
  });

  it("says nothing of what one of them does not tell", () => {
    expect(diffReleases(release({ sbom: sbomOf({}), files: [] }), release({}))).toMatchObject({
      components: null,
      files: null,
    });
  });
});
