import { expect, test } from "vitest";
import { createRandom } from "./random.ts";
import { createHelloMix, createRegistryMix } from "./request-mix.ts";

test("the registry's reads touch every package in each of its four ways", () => {
  const mix = createRegistryMix();
  const random = createRandom(1);
  const paths = new Set(Array.from({ length: 20_000 }, () => mix.drawGet(random).path));
  expect(paths.size).toBe(4 * mix.preparation.length);
});

test("the registry's reads ask for what the preparation publishes", () => {
  const mix = createRegistryMix();
  const published = new Set(mix.preparation.map(({ path }) => path.slice(1)));
  const random = createRandom(2);
  for (let draw = 0; draw < 200; draw++) {
    const name = /demo-\d+/.exec(mix.drawGet(random).path)?.[0];
    expect(published).toContain(name);
  }
});

test("two writes to one package lie a whole turn apart", () => {
  const mix = createRegistryMix();
  const turn = mix.preparation.length;
  const packageOf = (ordinal: number) => mix.drawPut(ordinal).path.split("/")[3];
  const first = Array.from({ length: turn }, (_, ordinal) => packageOf(ordinal));
  expect(new Set(first).size).toBe(turn);
  expect(packageOf(turn)).toBe(first[0]);
});

test("a package is published with a tarball of the length it names", () => {
  const body = JSON.parse(createRegistryMix().preparation[0]?.body ?? "");
  const attachment = body._attachments["demo-000-1.0.0.tgz"];
  expect(Buffer.from(attachment.data, "base64")).toHaveLength(attachment.length);
});

test("the small service needs no preparation", () => {
  const mix = createHelloMix();
  expect(mix.preparation).toEqual([]);
  expect(mix.drawGet(createRandom(1)).path).toBe("/");
  expect(mix.drawPut(0)).toMatchObject({ method: "PUT", path: "/name", body: "visitor 0" });
});
