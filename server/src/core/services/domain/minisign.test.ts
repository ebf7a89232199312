import { describe, expect, it } from "vitest";
import { verifySignature } from "./minisign.ts";

/** Made by minisign 0.11 itself. */
const KEY = "RWRgAuLn3eELhoCl27u/ULueRnZkyl+Mj3GkC5heGjdPJJWM/hc1TQF7";
const OTHER_KEY = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
const MESSAGE = "sha256:3d7db37d08f9140fd09f12b9621cd0954b6d56a9d2f357fb2c7f5d62636d2fd1\n";
const PREHASHED = [
  "untrusted comment: signature from minisign secret key",
  "RURgAuLn3eELhjm4Y/6V4zFplqJm4q8KBofgdNVnZSu5BO3N2q0cDGbRong5tlIwfans9mgWxCZlmaLaKkSqhfasTgkjtlyf9Aw=",
  "trusted comment: release of shop",
  "KslULNSGn7isup9lS05Tc+wSyezJayyZ/phjex/KrJLgfalnmIcLQdRsYitbnT0U9pZXjDRcG3cYkG9krh+cBQ==",
].join("\n");
const LEGACY = [
  "untrusted comment: signature from minisign secret key",
  "RWRgAuLn3eELhqkkHJ3o71xRXaA46pR45MYhpruhaNl+wEjOOMzuoZ82sjhD/2fp/lJmaukompevnEpMrit0RX0DO9dPcwUbOwo=",
  "trusted comment: legacy",
  "DmsuKNQJJPPpocOe+D99WvWRNAdVxjXoqRIzPRDJ/bGQwWrrdlIKsmXWMYtVqu/AVpMZ7Y2o8ypAZeZivICEAg==",
].join("\r\n");

describe("a signature of minisign", () => {
  it.each([PREHASHED, LEGACY])("stands for what was signed", (text) => {
    const keys = [OTHER_KEY, KEY];
    expect(verifySignature(text, [MESSAGE], keys)).toEqual({ isGood: true, by: "860BE1DDE7E20260" });
    expect(verifySignature(text, [MESSAGE.trim(), MESSAGE], keys)).toMatchObject({ isGood: true });
  });

  it.each([
    ["another message", { message: "sha256:0\n" }, "for something else"],
    ["another key", { keys: [OTHER_KEY] }, "no trusted key has the id 860BE1DDE7E20260"],
    ["no key at all", { keys: [] }, "no trusted key"],
    ["a key that is none", { keys: ["RWQ="] }, "no trusted key"],
    ["an altered comment", { text: PREHASHED.replace("of shop", "of all") }, "trusted comment was"],
    ["an altered signature", { text: PREHASHED.replace("xCZlm", "xCZln") }, "was altered"],
    ["a text that is none", { text: "hello" }, "not the text of a .minisig file"],
    ["half a text", { text: PREHASHED.slice(0, 200) }, "not the text of a .minisig file"],
  ])("does not stand with %s", (_, given, reason) => {
    const { text, message, keys } = { text: PREHASHED, message: MESSAGE, keys: [KEY], ...given };
    const verdict = verifySignature(text, [message], keys);
    expect(verdict).toEqual({ isGood: false, reason: expect.stringContaining(reason) });
  });
});
