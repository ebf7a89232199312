import { describe, expect, it } from "vitest";
import { imageName } from "./image-name.ts";

const DIGEST = `sha256:${"0a".repeat(32)}`;

describe("the name of an image", () => {
  it.each([
    "shop",
    "shop:1.4",
    "team/shop:1.4-rc_1",
    "localhost:5000/shop",
    "registry.example.com/a/b:1",
    `registry.example.com/a@${DIGEST}`,
    `127.0.0.1:5000/a:1@${DIGEST}`,
  ])("may be %s", (text) => {
    expect(imageName.safeParse(text).success).toBe(true);
  });

  it.each([
    "",
    "Shop",
    "shop:",
    "shop@sha256:12",
    "a//b",
    "shop:1?x=1",
    "../images",
    "shop 1",
    `a@${DIGEST}0`,
  ])("cannot be %j", (text) => {
    expect(imageName.safeParse(text).success).toBe(false);
  });
});
