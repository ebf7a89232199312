import type { ReleaseDiffResource } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import { diffLine, diffWords } from "./release-words.ts";

const same: ReleaseDiffResource = {
  from: "rel_1",
  to: "rel_2",
  components: { added: [], removed: [], changed: [] },
  env: { added: [], removed: [], changed: [] },
  secrets: { added: [], removed: [] },
  images: [],
  files: { added: 0, removed: 0, changed: 0, unchanged: 3 },
};
const different: ReleaseDiffResource = {
  ...same,
  components: {
    added: [{ name: "a", versions: ["1.0.0"] }],
    removed: [],
    changed: [{ name: "@x/b", from: ["1.0.0"], to: ["1.0.0", "2.0.0"] }],
  },
  env: { added: ["LOG"], removed: ["OLD"], changed: ["MODE"] },
  secrets: { added: ["KEY"], removed: [] },
  images: [{ process: "web", from: "shop@sha256:1", to: "shop@sha256:2" }],
  files: { added: 0, removed: 1, changed: 12, unchanged: 3 },
};

describe("the difference of two releases in words", () => {
  it("is a line before a deploy", () => {
    expect(diffLine(different)).toBe(
      "packages 1 added, 1 changed · variables +LOG, -OLD, ~MODE, +KEY · images of web · files 1 removed, 12 changed",
    );
    expect(diffLine(same)).toBe("nothing is different");
  });

  it("is told name by name when it is asked for", () => {
    expect(diffWords(different).split("\n")).toEqual([
      ...["Packages", "  + a 1.0.0", "  ~ @x/b 1.0.0 → 1.0.0, 2.0.0"],
      ...["Variables", "  +LOG", "  -OLD", "  ~MODE", "Secrets", "  +KEY"],
      ...["Images", "  web: shop@sha256:1 → shop@sha256:2"],
      ...["Files", "  files 1 removed, 12 changed"],
    ]);
  });

  it("says so where nothing can be known", () => {
    const words = diffWords({ ...same, components: null, files: null });
    expect(words).toMatch(/does not say what it is made of[^]*were removed/);
  });
});
