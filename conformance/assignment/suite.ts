import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assignBucket } from "@mainstay/agent";
import type { CaseResult, Suite } from "../suite.ts";
import { startHasher } from "./haproxy.ts";
import { listKeys, textOf } from "./keys.ts";

const KEYS = 2_000;

/** Whoever takes the traffic, Mainstay's proxy or HAProxy, the same user meets the same arm. */
export const suite: Suite = {
  about: "The bucket of a user: Mainstay's proxy against HAProxy's xxh32(0),mod(10000)",
  debianPackages: ["haproxy"],
  async run() {
    const folder = await mkdtemp(join(tmpdir(), "assignment-"));
    const hasher = await startHasher(folder);
    try {
      return await Promise.all(
        listKeys(KEYS).map(async (key): Promise<CaseResult> => {
          const ours = assignBucket(key.service, key.change, key.id);
          const theirs = await hasher.bucketOf(textOf(key));
          const failure = ours === theirs ? null : `Mainstay says ${ours}, HAProxy says ${theirs}`;
          return { name: textOf(key), failure };
        }),
      );
    } finally {
      await hasher.stop();
      await rm(folder, { recursive: true });
    }
  },
};
