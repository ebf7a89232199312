import { expect, test } from "vitest";
import { createCookieJar } from "./cookie-jar.ts";

test("a user sends back the cookie that it was given, without its attributes", () => {
  const jar = createCookieJar();
  expect(jar.headerOf(3)).toBeNull();
  jar.keep(3, ["session=x; Path=/", "mainstay_id=abc.def; Path=/; HttpOnly; Max-Age=86400"]);
  expect(jar.headerOf(3)).toBe("mainstay_id=abc.def");
});

test("users keep their cookies apart", () => {
  const jar = createCookieJar();
  jar.keep(1, ["mainstay_id=one"]);
  jar.keep(2, ["mainstay_id=two"]);
  expect([jar.headerOf(1), jar.headerOf(2), jar.headerOf(4)]).toEqual([
    "mainstay_id=one",
    "mainstay_id=two",
    null,
  ]);
  expect(jar.size()).toBe(2);
});

test("a new cookie replaces the old one, an answer without one changes nothing", () => {
  const jar = createCookieJar();
  jar.keep(1, ["mainstay_id=old"]);
  jar.keep(1, []);
  expect(jar.headerOf(1)).toBe("mainstay_id=old");
  jar.keep(1, ["mainstay_id=new"]);
  expect(jar.headerOf(1)).toBe("mainstay_id=new");
});
