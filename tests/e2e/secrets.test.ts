import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import {
  changeResource,
  rotationResource,
  sealingResource,
  secretsResource,
  type ChangeResource,
} from "@mainstay/api";
import { createAgeIdentity } from "@mainstay/vault/age";
import pg from "pg";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { runCommand } from "../support/command.ts";
import { watchUntil } from "../support/changes.ts";
import { copyHello, UNJUDGED_ROLLOUT, type Hello } from "../support/hello.ts";
import { useProduct } from "../support/use-product.ts";
import { waitUntil } from "../support/wait-until.ts";

/** Found nowhere by chance, and not made smaller by compression. */
const CANARIES = {
  API_KEY: randomBytes(24).toString("hex"),
  OTHER: `two\n${randomBytes(24).toString("hex")}`,
};
const TEXTS = [CANARIES.API_KEY, CANARIES.OTHER.slice("two\n".length)];

const product = useProduct();
const keyFile = () => path.join(product().dataDirectory, "keys", "wrapping.key");
const values = z.record(z.string(), z.string());
let hello: Hello;
let change: ChangeResource;

beforeAll(async () => {
  hello = await copyHello(product().directory);
  const more = { secrets: ["API_KEY"] };
  await hello.write("mainstay.yaml", "mainstay.yaml", {
    more,
    rollout: { ...UNJUDGED_ROLLOUT, keepWarm: "1s" },
  });
});

const feed = (input: string, ...args: string[]) =>
  runCommand(args, { env: product().access(), cwd: product().directory, input });
const ended = (id: string) => watchUntil(product(), id, (each) => each.finishedAt !== null);
const variable = async (name: string) =>
  (await (await fetch(`${product().dataPlaneUrl}/variable?${name}`)).text()).trim();

describe("a release that needs a secret", () => {
  it("is not started while it has no value", async () => {
    const check = await product().cli("deploy", hello.directory, "--check");
    const words = /the secrets API_KEY have no value for hello in production/;
    expect([check.exitCode, check.stdout]).toEqual([1, expect.stringMatching(words)]);
    const { exitCode, document } = await product().cliJson(changeResource, "deploy", hello.directory);
    expect({ exitCode, state: document.state }).toEqual({ exitCode: 1, state: "undone" });
    expect(document.outcome).toMatch(words);
  });

  it("finds in its environment what was imported before it", async () => {
    const imported = await feed(JSON.stringify(CANARIES), "secrets", "import", "hello");
    expect(imported).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("first release") });
    const deployed = await product().cliJson(changeResource, "deploy", hello.directory);
    expect(deployed.exitCode).toBe(0);
    change = await ended(deployed.document.id);
    expect(await variable("API_KEY")).toBe(`set, ${CANARIES.API_KEY.length} characters`);
    expect(await variable("OTHER")).toBe("not set");
  });

  it("has versions that come and go with releases, named without their values", async () => {
    const set = await feed("another-value", "secrets", "set", "hello", "API_KEY");
    expect(set.exitCode).toBe(0);
    expect(await variable("API_KEY")).toBe("set, 13 characters");
    const back = await product().cli("rollback", "hello");
    expect(back.exitCode).toBe(0);
    expect(await variable("API_KEY")).toBe(`set, ${CANARIES.API_KEY.length} characters`);
    const schema = secretsResource.shape.versions;
    const { document } = await product().cliJson(schema, "secrets", "versions", "hello");
    expect(document.map(({ number, changed, isServing }) => ({ number, changed, isServing }))).toEqual([
      { number: 2, changed: ["API_KEY"], isServing: false },
      { number: 1, changed: ["API_KEY", "OTHER"], isServing: true },
    ]);
    const { stdout } = await product().cli("secrets", "list", "hello");
    expect(stdout).toMatch(/API_KEY +service file +yes/);
  });
});

describe("the value of a secret", () => {
  it("is on nobody's command line", () => {
    const lines = readdirSync("/proc")
      .filter((each) => /^\d+$/.test(each))
      .map(commandLine);
    expect(lines.filter(holdsCanary)).toEqual([]);
  });

  it("is in no table of the database", async () => {
    const tables = await everyTable();
    expect(tables.size).toBeGreaterThan(20);
    expect([...tables].filter(([, text]) => holdsCanary(text)).map(([name]) => name)).toEqual([]);
  });

  it("is in no file but the state of the agent, which is for its account alone", async () => {
    expect(await filesWith(TEXTS)).toEqual(["agent/desired.json"]);
    const { mode } = await stat(path.join(product().dataDirectory, "agent", "desired.json"));
    expect(mode & 0o777).toBe(0o600);
  });

  it("is in no log, and in the answer of no GET", async () => {
    expect(holdsCanary(product().log())).toBe(false);
    const answers = await everyGet();
    expect(answers.size).toBeGreaterThan(30);
    expect([...answers].filter(([, text]) => holdsCanary(text)).map(([url]) => url)).toEqual([]);
    const told = [...answers].filter(([, text]) => text.includes("API_KEY")).map(([url]) => url);
    expect(told).toContain("/api/v1/environments/production/services/hello/secrets");
  });

  it("is masked in an export, and told to who may be told, which is audited", async () => {
    const masked = await product().cli("secrets", "export", "hello");
    expect(masked.stdout).toBe("API_KEY='***'\nOTHER='***'\n");
    const revealed = await product().cliJson(values, "secrets", "export", "hello", "--reveal");
    expect(revealed.document).toEqual(CANARIES);
    const { items } = await product().api().get<{ items: { action: string }[] }>("/audit?limit=10");
    expect(items.map(({ action }) => action)).toContain("services.secrets_revealed");
    expect(holdsCanary(JSON.stringify(items))).toBe(false);
    expect([...(await everyTable())].filter(([, text]) => holdsCanary(text))).toEqual([]);
  });

  it("is taken in from a plain file of an earlier version, which is removed", async () => {
    const file = path.join(product().dataDirectory, "keys", "later.production.env");
    await writeFile(file, "TOKEN=early-bird\n", { mode: 0o600 });
    await product().kill("server");
    await waitUntil("the file to be gone", async () => !(await exists(file)));
    await product().untilReady();
    const { document } = await product().cliJson(values, "secrets", "export", "later", "--reveal");
    expect(document).toEqual({ TOKEN: "early-bird" });
  });
});

describe("the keys", () => {
  it.each(["--wrapping-key", "--data-keys"])("are rotated by secrets rotate %s", async (flag) => {
    const rotated = await product().cliJson(rotationResource, "secrets", "rotate", flag);
    expect(rotated.exitCode).toBe(0);
    expect(rotated.document).toMatchObject({ outcome: "complete", unreadable: 0 });
    const { document } = await product().cliJson(sealingResource, "secrets", "status");
    const inUse = document.keys.filter(({ objects }) => objects > 0).map(({ id }) => id);
    expect(inUse).toEqual([document.activeKey]);
    expect(await readFile(keyFile(), "utf8")).toContain(document.activeKey);
    const { document: revealed } = await product().cliJson(values, "secrets", "export", "hello", "--reveal");
    expect(revealed).toEqual(CANARIES);
  });

  it("come back from the age file that was exported, when the key file is lost", async () => {
    const { identity, recipient } = await createAgeIdentity();
    const data = ["--data-directory", product().dataDirectory];
    const key = ["secrets", "recovery-key", "export", "--recipient", recipient, ...data];
    const { stdout, exitCode } = await product().cli(...key);
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^-----BEGIN AGE/),
    });
    const [exported, secret] = ["recovery.age", "identity.txt"].map((name) =>
      path.join(product().directory, name),
    ) as [string, string];
    await writeFile(exported, stdout);
    await writeFile(secret, `${identity}\n`, { mode: 0o600 });
    await expectAgeAgrees(exported, secret);

    await rename(keyFile(), path.join(product().directory, "lost.key"));
    await product().kill("server");
    await waitUntil("the server to say what is missing", () =>
      product().log().includes("the database is sealed with the key"),
    );
    const recovered = await product().cli(
      ...["secrets", "recover", "--age", exported, "--identity", secret, ...data],
    );
    expect(recovered).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await stat(keyFile())).mode & 0o777).toBe(0o600);
    await product().untilReady();
    const { document } = await product().cliJson(values, "secrets", "export", "hello", "--reveal");
    expect(document).toEqual(CANARIES);
    expect(await variable("API_KEY")).toBe(`set, ${CANARIES.API_KEY.length} characters`);
  });
});

/** The `age` of others opens it too, where there is one. */
async function expectAgeAgrees(file: string, identity: string): Promise<void> {
  const opened = promisify(execFile)("age", ["--decrypt", "--identity", identity, file]);
  const text = await opened.then(
    ({ stdout }) => stdout,
    (error: NodeJS.ErrnoException) => (error.code === "ENOENT" ? null : Promise.reject(error)),
  );
  if (text !== null) expect(await readFile(keyFile(), "utf8")).toContain(text.trim());
}

function holdsCanary(text: string): boolean {
  return TEXTS.some((each) => text.includes(each));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    // It ended meanwhile.
    return "";
  }
}

/** What a dump of the database would hold, by table; bytes as hexadecimal digits and as text. */
async function everyTable(): Promise<Map<string, string>> {
  const pid = await readFile(path.join(product().dataDirectory, "postgres", "postmaster.pid"), "utf8");
  const client = new pg.Client({ host: pid.split("\n")[4] ?? "", user: "mainstay", database: "mainstay" });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
        where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    const dump = new Map<string, string>();
    for (const { name } of rows) {
      const found = await client.query<{ text: string }>(
        `select t::text || coalesce((select string_agg(encode(decode(m[1], 'hex'), 'escape'), '')
                                     from regexp_matches(t::text, '\\\\\\\\x([0-9a-f]*)', 'g') m), '')
                as text
           from ${name} t`,
      );
      dump.set(name, found.rows.map(({ text }) => text).join("\n"));
    }
    return dump;
  } finally {
    await client.end();
  }
}

/** The answer of every route that only reads, asked about what there is. */
async function everyGet(): Promise<Map<string, string>> {
  const { MAINSTAY_URL: url, MAINSTAY_TOKEN: token } = product().access();
  const ask = async (place: string) => {
    const signal = AbortSignal.timeout(3000);
    const answer = await fetch(url + place, { headers: { authorization: `Bearer ${token}` }, signal });
    return answer.text();
  };
  const openapi = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });
  const { paths } = openapi.parse(JSON.parse(await ask("/api/v1/openapi.json")));
  const { items } = await product().api().get<{ items: { id: string }[] }>("/instances");
  const ids: [RegExp, string][] = [
    [/instances\/\{id\}/, `instances/${items[0]?.id}`],
    [/releases\/\{id\}/, `releases/${change.candidate}`],
    [/\{id\}/, change.id],
    [/\{environment\}/, "production"],
    [/\{service\}/, "hello"],
  ];
  const answers = new Map<string, string>();
  for (const [template, methods] of Object.entries(paths)) {
    if (methods["get"] === undefined) continue;
    const place = ids.reduce((known, [pattern, id]) => known.replace(pattern, id), template);
    // A stream that goes on for ever is cut off.
    answers.set(place, await ask(place).catch(() => ""));
  }
  return answers;
}

/** Files of the data directory that hold a text, PostgreSQL's included. */
async function filesWith(texts: string[]): Promise<string[]> {
  const root = product().dataDirectory;
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.filter((each) => each.isFile()).map((each) => path.join(each.parentPath, each.name));
  const found: string[] = [];
  for (const each of paths) {
    const content = await readFile(each).catch(() => Buffer.alloc(0));
    if (texts.some((text) => content.includes(text))) found.push(path.relative(root, each));
  }
  return found.toSorted();
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
