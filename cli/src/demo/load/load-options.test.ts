import { AppError } from "@mainstay/api/plain";
import { expect, test } from "vitest";
import { parseLoadOptions } from "./load-options.ts";

test("only the address and the mix are needed", () => {
  expect(parseLoadOptions('{"url":"http://127.0.0.1:8080","mix":"registry"}')).toEqual({
    url: "http://127.0.0.1:8080",
    mix: "registry",
    rps: 200,
    users: 1000,
    cookielessShare: 0.2,
    closeShare: 0.2,
    putShare: 0.1,
    seed: 1,
    durationMs: null,
    timeoutMs: 10_000,
  });
});

const errorsOf = (text: string) => {
  try {
    parseLoadOptions(text);
    return null;
  } catch (error) {
    return error instanceof AppError ? error.errors : error;
  }
};

test("every wrong field is named", () => {
  const errors = errorsOf('{"url":"ftp://x","mix":"shop","putShare":2,"speed":1}');
  expect(errors).toEqual(
    expect.arrayContaining(
      ["url", "mix", "putShare", "speed"].map((path) => expect.objectContaining({ path })),
    ),
  );
});

test("what is not JSON is refused with an example", () => {
  expect(errorsOf("--url x")).toEqual([
    expect.objectContaining({ message: expect.stringContaining('"mix":"hello"') }),
  ]);
});
