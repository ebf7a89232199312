import { describe, expect, it } from "vitest";
import { imageName, parseImageName } from "./image-name.ts";

const DIGEST = `sha256:${"0a".repeat(32)}`;

describe("the name of an image", () => {
  it.each([
    ["shop", { name: "shop", tag: null, digest: null }],
    ["shop:1.4", { name: "shop", tag: "1.4", digest: null }],
    ["team/shop:1.4-rc_1", { name: "team/shop", tag: "1.4-rc_1", digest: null }],
    ["localhost:5000/shop", { name: "localhost:5000/shop", tag: null, digest: null }],
    ["registry.example.com/a/b:1", { name: "registry.example.com/a/b", tag: "1", digest: null }],
    [`registry.example.com/a@${DIGEST}`, { name: "registry.example.com/a", tag: null, digest: DIGEST }],
    [`127.0.0.1:5000/a:1@${DIGEST}`, { name: "127.0.0.1:5000/a", tag: "1", digest: DIGEST }],
  ])("%s is taken apart", (text, parts) => {
    expect(parseImageName(text)).toEqual(parts);
    expect(imageName.safeParse(text).success).toBe(true);
  });

  it.each(["", "Shop", "shop:", "shop@sha256:12", "a//b", "shop:1?x=1", "../images", "shop 1", `a@${DIGEST}0`])(
    "%j is none",
    (text) => {
      expect([parseImageName(text), imageName.safeParse(text).success]).toEqual([null, false]);
    },
  );
});
