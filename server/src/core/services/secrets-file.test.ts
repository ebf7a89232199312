import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSecretsFile } from "./secrets-file.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "mainstay-secrets-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function write(text: string, mode = 0o600): Promise<void> {
  const file = path.join(directory, "shop.production.env");
  await writeFile(file, text);
  await chmod(file, mode);
}
const read = (names: string[]) =>
  createSecretsFile({ directory }).read({ service: "shop", environment: "production" }, names);

describe("a service's secrets", () => {
  it("are the values of the names that the service asks for, and no others", async () => {
    await write("# comment\nDATABASE_URL=postgres://u:p=1@h/d\nOTHER=x\n");
    expect(await read(["DATABASE_URL"])).toEqual({ DATABASE_URL: "postgres://u:p=1@h/d" });
  });

  it("need no file when none are asked for", async () => {
    expect(await read([])).toEqual({});
  });

  it("are refused from a file that others may read", async () => {
    await write("A=1", 0o640);
    await expect(read(["A"])).rejects.toMatchObject({ code: "SECRETS_FILE" });
  });

  it("name what is missing, and never a value", async () => {
    await write("A=hunter2\n");
    const failure = await read(["A", "B", "C"]).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "SECRET_MISSING", params: { names: "B, C" } });
    expect(JSON.stringify(failure) + String(failure)).not.toContain("hunter2");
  });

  it("say so when the file is not there", async () => {
    await expect(read(["A"])).rejects.toThrow(/ENOENT/);
  });
});
