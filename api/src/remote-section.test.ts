import { describe, expect, it } from "vitest";
import { platformFile } from "./platform-file.ts";

const URL = "https://mimir.example.com/prometheus";
const issuesOf = (metrics: object) => {
  const parsed = platformFile.safeParse({ metrics });
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
};

describe("metrics.remote", () => {
  it("takes what a remote is asked with", () => {
    const authorization = { credentials: { env: "TOKEN" } };
    expect(issuesOf({ engine: "remote", remote: { url: `${URL}/`, authorization } })).toEqual([]);
    expect(issuesOf({ engine: "remote" })).toEqual([
      'metrics.remote.url: expected the URL of what answers queries while metrics.engine is "remote"',
    ]);
  });

  it.each([
    [{ url: "https://me:password@mimir.example.com" }, "without a password"],
    [{ url: `${URL}/api/v1` }, "the part of the URL before /api/v1"],
    [{ url: `${URL}?tenant=a` }, "the part of the URL before /api/v1"],
  ])("refuses %j", (remote, words) => {
    expect(issuesOf({ remote }).join("\n")).toContain(words);
  });
});
