import { describe, expect, it } from "vitest";
import { fillQuery } from "./fill-query.ts";

const VARIABLES = { service: "shop", candidate: "rel_1" };

describe("variables of a query", () => {
  it.each([
    ['up{service="$service",release="$candidate"}', 'up{service="shop",release="rel_1"}'],
    ["up", "up"],
    ['label_replace(up, "a", "$1-${2}", "b", "(.*)$")', 'label_replace(up, "a", "$1-${2}", "b", "(.*)$")'],
    [
      'label_replace(up, "a", "$$word", "b", "(?P<word>.*)")',
      'label_replace(up, "a", "$word", "b", "(?P<word>.*)")',
    ],
  ])("%s", (template, query) => {
    expect(fillQuery(template, VARIABLES)).toEqual({ query });
  });

  it("cannot end the string that they stand in", () => {
    const filled = fillQuery('up{service="$service"}', { service: 'a"} or vector(1) # \u{1f600}' });
    expect(filled).toEqual({
      query: String.raw`up{service="a\u0022\u007d\u0020or\u0020vector\u00281\u0029\u0020\u0023\u0020\U0001f600"}`,
    });
  });

  it("are told when nobody knows them, inherited names included", () => {
    expect(fillQuery('up{a="$servce"}', VARIABLES)).toEqual({ unknown: "$servce" });
    expect(fillQuery("$constructor $service", VARIABLES)).toEqual({ unknown: "$constructor" });
  });
});
