import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { AppError } from "@mainstay/api";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readServiceFile } from "./read-service-file.ts";

let directory: string;
beforeAll(async () => void (directory = await mkdtemp(path.join(tmpdir(), "mainstay-service-file-"))));
afterAll(() => rm(directory, { recursive: true, force: true }));

it("what is wrong in the form of a service file and in its queries is told at once", async () => {
  const file = path.join(directory, "mainstay.yaml");
  const gates = [{ name: "errors", query: "sum(rate(errors_total[1m])", max: 1 }];
  const web = { command: "node server.js", instnces: 2 };
  await writeFile(file, JSON.stringify({ service: "shop", processes: { web }, rollout: { gates } }));
  const error = await readServiceFile(file, undefined).catch((reason: unknown) => reason);
  if (!(error instanceof AppError)) throw error;
  expect(error.code).toBe("CONFIG_INVALID");
  expect(error.errors).toEqual([
    { path: "processes.web.instnces", message: expect.stringContaining("instances") },
    { path: "rollout.gates.0.query", message: expect.stringContaining("parse error") },
  ]);
});
