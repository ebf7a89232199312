import { expect, it } from "vitest";
import { readWord } from "./unit-way.ts";

it.each([
  ["success exited 0\n", { code: 0, signal: null }],
  ["exit-code exited 7\n", { code: 7, signal: null }],
  ["signal killed TERM\n", { code: null, signal: "SIGTERM" }],
  ["core-dump dumped SEGV\n", { code: null, signal: "SIGSEGV" }],
  ["oom-kill killed KILL\n", { code: null, signal: "SIGKILL", cause: "memory" }],
  ["resources  \n", { code: null, signal: null }],
])("systemd's word %j is understood", (word, exit) => {
  expect(readWord(word)).toEqual(exit);
});
