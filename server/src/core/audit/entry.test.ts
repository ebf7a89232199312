import fc from "fast-check";
import { expect, test } from "vitest";
import { maskFields } from "./entry.ts";

test("fields whose names mean secrets are masked at any depth, and the rest is kept", () => {
  const fields = {
    name: "shop",
    password: "hunter2",
    nested: [{ apiKey: "k", keyId: "key_1" }, { env: { DATABASE_PASSWORD: "p", PORT: 80 } }],
  };
  expect(maskFields(fields)).toEqual({
    name: "shop",
    password: "***",
    nested: [{ apiKey: "***", keyId: "key_1" }, { env: { DATABASE_PASSWORD: "***", PORT: 80 } }],
  });
});

test("whatever stands below a secret name is masked as a whole", () => {
  expect(maskFields({ credentials: { user: "u", pin: 1234 } })).toEqual({ credentials: "***" });
});

test("that a secret is absent, or switched on or off, may be seen", () => {
  const fields = { token: null, secret: "", password: true };
  expect(maskFields(fields)).toEqual(fields);
});

test("a value without secret names is not altered", () => {
  const key = fc.constantFrom("name", "weight", "state", "items");
  const value = fc.letrec((tie) => ({
    tree: fc.oneof(
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.array(tie("tree")),
      fc.dictionary(key, tie("tree")),
    ),
  })).tree;
  fc.assert(
    fc.property(value, (tree) => {
      expect(maskFields(tree)).toEqual(tree);
    }),
  );
});
