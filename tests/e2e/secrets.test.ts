import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { changeResource } from "@mainstay/api";
import { beforeAll, describe, expect, it } from "vitest";
import { copyHello, type Hello } from "../support/hello.ts";
import { findProcessesOf } from "../support/process-search.ts";
import { useProduct } from "../support/use-product.ts";

const VALUE = "correct-horse-battery-staple";

const product = useProduct();
const secretsFile = () => path.join(product().dataDirectory, "keys", "hello.production.env");
let hello: Hello;

beforeAll(async () => {
  hello = await copyHello(product().directory);
  await hello.write("mainstay.yaml", "mainstay.yaml", { more: { secrets: ["API_KEY"] } });
});

describe("a release that needs a secret", () => {
  it.each([
    {
      title: "there is no file",
      text: null,
      mode: 0o600,
      words: /the secrets file .*hello\.production\.env cannot be used/,
    },
    {
      title: "others may read the file",
      text: `API_KEY=${VALUE}\n`,
      mode: 0o644,
      words: /other accounts may read it/,
    },
    { title: "the file lacks it", text: "OTHER=1\n", mode: 0o600, words: /the secrets API_KEY are not in/ },
  ])("is not started when $title", async ({ text, mode, words }) => {
    await rm(secretsFile(), { force: true });
    if (text !== null) await writeFile(secretsFile(), text);
    if (text !== null) await chmod(secretsFile(), mode);
    const check = await product().cli("deploy", hello.directory, "--check");
    expect({ exitCode: check.exitCode, stdout: check.stdout }).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(words),
    });
    const { exitCode, document } = await product().cliJson(changeResource, "deploy", hello.directory);
    expect({ exitCode, state: document.state }).toEqual({ exitCode: 1, state: "undone" });
    expect(document.outcome).toMatch(words);
  });

  it("finds it in its environment, and nobody else finds it anywhere", async () => {
    await writeFile(secretsFile(), `API_KEY=${VALUE}\n`);
    await chmod(secretsFile(), 0o600);
    const { exitCode, document: change } = await product().cliJson(changeResource, "deploy", hello.directory);
    expect(exitCode).toBe(0);
    const told = await (await fetch(`${product().dataPlaneUrl}/variable?API_KEY`)).text();
    expect(told).toBe(`set, ${VALUE.length} characters\n`);

    const resources = [
      ...["/services", "/instances", "/releases", "/changes", "/audit?limit=200", "/platform"],
      `/changes/${change.id}/timeline`,
    ];
    const answers = await Promise.all(
      resources.map(async (each) => JSON.stringify(await product().api().get(each))),
    );
    expect(answers.filter((answer) => answer.includes(VALUE))).toEqual([]);
    expect(product().log()).not.toContain(VALUE);
    const commandLines = findProcessesOf(product().directory).map((each) => each.command);
    expect(commandLines.filter((line) => line.includes(VALUE))).toEqual([]);
    expect(await filesWith(VALUE)).toEqual(["agent/desired.json", "keys/hello.production.env"]);
  });
});

/** Files of the data directory that hold a text, PostgreSQL's included. */
async function filesWith(text: string): Promise<string[]> {
  const root = product().dataDirectory;
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.filter((each) => each.isFile()).map((each) => path.join(each.parentPath, each.name));
  const found: string[] = [];
  for (const each of paths) {
    const content = await readFile(each).catch(() => Buffer.alloc(0));
    if (content.includes(text)) found.push(path.relative(root, each));
  }
  return found.toSorted();
}
