import { grantResource, keyResource, roleResource, shownKey, teamResource } from "@mainstay/api";
import { expect, it } from "vitest";
import { runCommand } from "../support/command.ts";
import { copyHello, UNJUDGED_ROLLOUT } from "../support/hello.ts";
import { useProduct } from "../support/use-product.ts";

const product = useProduct();

/** A command with another key than the administrator's. */
const as = (token: string, ...args: string[]) =>
  runCommand(args, { env: { ...product().access(), MAINSTAY_TOKEN: token } });

it("says what to do first where there is nothing", async () => {
  const expected = {
    teams: "No teams yet. Make one: mainstay teams create <name>",
    "grants list --subject user:none": "No such grants. Give a role: mainstay grants add <who> --role <name>",
  };
  for (const [command, words] of Object.entries(expected)) {
    const { exitCode, stdout } = await product().cli(...command.split(" "));
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining(words) });
  }
});

it("makes roles, teams and grants, and takes them away again", async () => {
  const on = product();
  const role = await on.cliJson(roleResource, "roles", "create", "on-call", "--permission", "changes.read");
  expect(role.document.permissions).toEqual(["changes.read"]);
  await on.cli("teams", "create", "web");
  const team = await on.cliJson(teamResource, "teams", "add", "web", "usr_1");
  expect(team.document.members).toMatchObject([{ user: "usr_1" }]);
  const given = await on.cliJson(grantResource, "grants", "add", "team:web", "--role", "on-call");
  expect(given.document).toMatchObject({ role: "on-call", environment: null, service: null });
  expect((await on.cli("roles", "delete", "on-call")).stderr).toContain("is granted 1 times");
  await on.cli("grants", "remove", given.document.id);
  expect((await on.cli("roles", "delete", "on-call")).exitCode).toBe(0);
  expect((await on.cli("teams", "delete", "web")).exitCode).toBe(0);
  expect((await on.cli("grants", "add", "somebody", "--role", "viewer")).exitCode).toBe(2);
});

it("lets a key of one service ship that one, and nothing else", async () => {
  const on = product();
  const hello = await copyHello(on.directory);
  await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: UNJUDGED_ROLLOUT });
  const scope = ["--environment", "production", "--service", "hello"];
  const made = await on.cliJson(shownKey, "keys", "create", "ci", "--role", "deployer", ...scope);
  const { secret } = made.document;
  const shipped = await as(secret, "deploy", hello.directory);
  expect(shipped).toMatchObject({ exitCode: 0 });
  expect((await as(secret, "status")).stdout).toContain("hello");
  const elsewhere = await as(secret, "deploy", hello.directory, "--environment", "staging");
  expect(elsewhere).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining("releases.write for hello in staging"),
  });
  expect((await as(secret, "keys", "revoke", "admin")).exitCode).not.toBe(0);
  const revoked = await on.cliJson(keyResource, "keys", "revoke", "ci");
  expect(revoked.document.revokedAt).not.toBe(null);
  expect(await as(secret, "status")).toMatchObject({ exitCode: 4 });
});
