import { mkdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import type { PasskeyResource, TotpSecret } from "@mainstay/api";
import { beforeAll, describe, expect, it } from "vitest";
import { createApiClient } from "../../cli/src/api-client.ts";
import { hotp, stepAt } from "../../server/src/core/identity/domain/totp.ts";
import { createAuthenticator } from "../support/authenticator.ts";
import { runCommand, type CommandResult } from "../support/command.ts";
import { copyHello, UNJUDGED_ROLLOUT, type Hello } from "../support/hello.ts";
import { ADMIN } from "../support/set-up.ts";
import { useProduct } from "../support/use-product.ts";

const BOB = { email: "bob@example.com", name: "Bob", password: "nine lanterns over gravel" };
interface Audited {
  action: string;
  actor: { type: string; name: string };
}
const product = useProduct();
let hello: Hello;

/** The machine of one person: a home of its own, where the login is kept. */
const homeOf = (name: string) => path.join(product().directory, name);
function as(name: string, args: string[], input = ""): Promise<CommandResult> {
  const env = { HOME: homeOf(name), MAINSTAY_URL: product().url };
  return runCommand(args, { env, cwd: product().directory, input });
}
const storedAt = (name: string) => path.join(homeOf(name), ".config/mainstay/remotes.json");
async function tokenOf(name: string): Promise<string> {
  const { logins } = JSON.parse(await readFile(storedAt(name), "utf8")) as {
    logins: Record<string, { token: string }>;
  };
  return logins[product().url]?.token ?? "";
}
const now = (secret: Uint8Array, later = 0) => hotp(secret, stepAt(Date.now()) + later);

/** Base 32 back to bytes: RFC 4648 §6. */
function decode(text: string): Uint8Array {
  const bits = Array.from(text).map((digit) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(digit).toString(2).padStart(5, "0"),
  );
  return Uint8Array.from(bits.join("").match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

beforeAll(async () => {
  for (const name of ["ann", "bob"]) await mkdir(homeOf(name));
  hello = await copyHello(product().directory, "theirs");
  await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: UNJUDGED_ROLLOUT });
});

describe("people on the command line", () => {
  it("log in with a password that never stands on a command line, and are known by it", async () => {
    const refused = await as("ann", ["login", "--email", ADMIN.email], "not the right one at all\n");
    expect(refused).toMatchObject({ exitCode: 4, stderr: expect.stringContaining("is not right") });
    const entered = await as("ann", ["login", "--email", ADMIN.email], `${ADMIN.password}\n`);
    expect(entered).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Logged in as Ann") });
    expect((await stat(storedAt("ann"))).mode & 0o777).toBe(0o600);
    expect((await as("ann", ["whoami"])).stdout).toContain(ADMIN.email);
    expect((await as("ann", ["sessions"])).stdout).toContain("Mainstay CLI on Linux");
  });

  it("are invited, join with the link, ship, and stand in the audit log with their name", async () => {
    const invite = ["users", "invite", BOB.email, "--name", "Bob", "--role", "deployer", "--json"];
    // The login was from a device that was never used before: a password alone is not enough for this.
    expect(await as("ann", invite)).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining("step-up"),
    });
    expect(await as("ann", ["step-up"], `${ADMIN.password}\n`)).toMatchObject({ exitCode: 0 });
    const invited = await as("ann", invite);
    expect(invited).toMatchObject({ exitCode: 0, stderr: "" });
    const { link } = JSON.parse(invited.stdout) as { link: string };
    const token = link.split("#")[1] ?? "";
    const weak = await as("bob", ["setup", "--link", token], "password1234\n");
    expect(weak).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("too easy to guess") });
    const joined = await as("bob", ["setup", "--link", token], `${BOB.password}\n`);
    expect(joined).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Logged in as Bob") });
    expect((await as("bob", ["setup", "--link", token], `${BOB.password}\n`)).exitCode).toBe(4);

    expect(await as("bob", ["deploy", hello.directory])).toMatchObject({ exitCode: 0 });
    const { items } = await product().api().get<{ items: Audited[] }>("/audit?limit=200");
    const requested = items.find((each) => each.action === "changes.requested");
    expect(requested?.actor).toMatchObject({ type: "user", name: "Bob" });
    expect((await as("bob", ["users", "list"])).exitCode).toBe(4);
  });

  it("confirm with a code once, which counts for what demands a fresh second factor", async () => {
    const api = createApiClient({ url: product().url, token: await tokenOf("bob") });
    const enrolled = await api.post<TotpSecret>("/account/factors/totp");
    const secret = decode(enrolled.secret);
    const { codes } = await api.post<{ codes: string[] }>("/account/factors/totp/confirm", {
      code: now(secret),
    });
    expect(codes).toHaveLength(10);
    const login = ["login", "--email", BOB.email];
    const replayed = await as("bob", login, `${BOB.password}\n${now(secret)}\n`);
    expect(replayed).toMatchObject({ exitCode: 4 });
    const entered = await as("bob", login, `${BOB.password}\n${now(secret, 1)}\n`);
    expect(entered).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Logged in as Bob") });
    expect(await as("bob", ["step-up"], `${codes[0]}\n`)).toMatchObject({ exitCode: 0 });
    expect(await as("bob", ["step-up"], `${codes[0]}\n`)).toMatchObject({ exitCode: 4 });
    expect((await as("bob", ["factors"])).stdout).toContain("9 left");
  });

  it("see their passkeys, which a browser adds, and remove one", async () => {
    const api = createApiClient({ url: product().url, token: await tokenOf("bob") });
    expect((await as("bob", ["factors", "passkeys"])).stdout).toContain(
      "No passkeys; one is added in a browser",
    );
    const { challenge, options } = await api.post<{ challenge: string; options: object }>(
      "/account/passkeys/options",
    );
    const response = createAuthenticator(product().url.replace("127.0.0.1", "localhost")).create(options);
    await api.post("/account/passkeys", { challenge, response, name: "laptop" });
    const { stdout } = await as("bob", ["factors", "passkeys", "--json"]);
    const { items } = JSON.parse(stdout) as { items: PasskeyResource[] };
    expect(items).toEqual([expect.objectContaining({ name: "laptop", lastUsedAt: null })]);
    expect(await as("bob", ["factors", "remove-passkey", "phone"])).toMatchObject({ exitCode: 2 });
    expect(await as("bob", ["factors", "remove-passkey", "laptop"])).toMatchObject({ exitCode: 0 });
    expect((await as("bob", ["factors"])).stdout).toContain("passkeys            none");
  });

  it("have tokens signed with a new key, if they may", async () => {
    expect(await as("bob", ["tokens", "rotate"])).toMatchObject({ exitCode: 4 });
    const rotated = await as("ann", ["tokens", "rotate", "--revoke", "--json"]);
    expect(JSON.parse(rotated.stdout)).toMatchObject({ rotated: true, revoked: true });
  });

  it("change their password, which ends their other sessions, and log out", async () => {
    await as("ann", ["login", "--email", ADMIN.email], `${ADMIN.password}\n`);
    const changed = await as("ann", ["password"], `${ADMIN.password}\neleven quiet drums and moss\n`);
    expect(changed).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await as("ann", ["sessions", "--json"])).stdout.match(/"isCurrent"/g)).toHaveLength(1);
    expect(await as("ann", ["logout"])).toMatchObject({ exitCode: 0 });
    expect(await as("ann", ["whoami"])).toMatchObject({ exitCode: 4 });
  });

  it("who are locked out begin anew with a link of the machine itself, which is audited", async () => {
    const { XDG_RUNTIME_DIR = "", MAINSTAY_DATA_DIRECTORY = "" } = product().settings;
    const onMachine = (...args: string[]) =>
      runCommand(["break-glass", "--data-directory", MAINSTAY_DATA_DIRECTORY, ...args], {
        env: { ...product().settings, XDG_RUNTIME_DIR },
        cwd: product().directory,
      });
    expect((await onMachine()).exitCode).toBe(2);
    expect((await onMachine("--user", "nobody@example.com")).stderr).toContain("does not exist");
    const broken = await onMachine("--user", ADMIN.email, "--json");
    expect(broken).toMatchObject({ exitCode: 0, stderr: "" });
    const { link } = JSON.parse(broken.stdout) as { link: string };
    const token = link.split("#")[1] ?? "";
    const entered = await as("ann", ["setup", "--link", token], "twelve slow rivers of glass\n");
    expect(entered).toMatchObject({
      exitCode: 0,
      stderr: "",
      stdout: expect.stringContaining("Logged in as Ann"),
    });
    const { items } = await product().api().get<{ items: Audited[] }>("/audit?limit=20");
    expect(items.map((each) => each.action)).toContain("identity.glass_broken");
    const another = await onMachine("--new-admin", "--json");
    expect(JSON.parse(another.stdout)).toMatchObject({ kind: "setup" });
  });
});
