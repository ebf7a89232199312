import { createUnixClient } from "../../agent/src/system/unix-client.ts";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { changeResource, previewResource, type ChangeResource } from "@mainstay/api";
import { beforeAll, describe, expect, it } from "vitest";
import { auditInOrder, watchUntil } from "../support/changes.ts";
import { statusDocument } from "../support/documents.ts";
import { copyHello, UNJUDGED_ROLLOUT, type Hello } from "../support/hello.ts";
import { useProduct } from "../support/use-product.ts";

const rules = [{ environment: "production", kinds: ["release"], role: "admin", allowRequester: true }];
const product = useProduct({ env: { MAINSTAY_APPROVALS: JSON.stringify(rules) } });
let hello: Hello;

beforeAll(async () => {
  hello = await copyHello(product().directory);
  await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: UNJUDGED_ROLLOUT });
});

async function deploy(...options: string[]): Promise<ChangeResource> {
  return (await product().cliJson(changeResource, "deploy", hello.directory, ...options)).document;
}
const until = (id: string, state: string) => watchUntil(product(), id, (change) => change.state === state);

describe("a deploy that waits for approval", () => {
  it("says so beforehand, in status and while it waits, and serves once it is approved", async () => {
    const checked = await product().cliJson(previewResource, "deploy", hello.directory, "--check");
    expect(checked).toMatchObject({ exitCode: 0, document: { findings: [{ code: "CHANGE_UNAPPROVED" }] } });
    const { stdout } = await product().cli("deploy", hello.directory, "--detach");
    expect(stdout).toContain("waits     for approval by admin (0 of 1), at most until 20");
    const id = /mainstay change approve (chg_\w+)/.exec(stdout)?.[1] ?? "";
    const status = await product().cli("status");
    expect(status.stdout).toMatch(new RegExp(`${id} .*approval by admin \\(0 of 1\\)`));
    const { document } = await product().cliJson(statusDocument, "status");
    expect(document.queue).toHaveLength(1);
    const stale = await product().cli("change", "approve", id, "--plan", "another");
    expect(stale).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("the plan of") });
    const approved = await product().cli("change", "approve", id, "--reason", "looked at it");
    expect(approved.stdout).toContain(`${id} is approved; it begins when its turn comes`);
    await until(id, "baking");
    const shown = await product().cli("change", "show", id);
    expect(shown.stdout).toMatch(/approved +by .+: looked at it/);
    const actions = (await auditInOrder(product())).filter((each) => each.change === id);
    expect(actions.map(({ action }) => action)).toContain("changes.approved");
  });

  it("ends when it is rejected, and goes on without approval when somebody says why", async () => {
    const waiting = await deploy("--env", "N=1", "--detach");
    const rejected = await product().cli("change", "reject", waiting.id, "--reason", "not today");
    expect(rejected.stdout).toContain("undone: rejected: not today");
    const forced = await deploy("--env", "N=2", "--override-approval", "the shop is down");
    expect(forced).toMatchObject({
      state: "baking",
      findings: [{ code: "CHANGE_UNAPPROVED", isForced: true }, { code: "PREFLIGHT_ENV" }],
    });
    expect((await product().cli("rollback", "hello")).exitCode).toBe(0);
  });
});

describe("the agent's socket", () => {
  it("answers nobody but the server, its own account included, save for what it observes", async () => {
    const client = createUnixClient(path.join(product().runtimeDirectory, "agent.sock"));
    const { status, body } = await client.call("PUT", "/v1/desired", { body: { generation: 1e9 } });
    expect([status, body]).toMatchObject([401, { title: expect.stringContaining("a call without a token") }]);
    for (const call of ["/v1/journal?after=0", "/v1/counters", "/v1/instances/x/logs", "/v1/nothing"])
      expect((await client.call("GET", call)).status).toBe(401);
    expect((await client.call("GET", "/v1/observed")).status).toBe(200);
    client.close();
  });
});

describe("what lies on the disk", () => {
  it("is for the account of the platform alone, keys and the agent's state above all", async () => {
    const { dataDirectory, runtimeDirectory } = product();
    // As root others may pass through it, to PostgreSQL under an account of its own, and see nothing.
    expect((await stat(runtimeDirectory)).mode & 0o066).toBe(0);
    for (const folder of ["keys", "agent"].map((each) => path.join(dataDirectory, each))) {
      expect((await stat(folder)).mode & 0o077).toBe(0);
      const names = await readdir(folder, { recursive: true });
      expect(names.length).toBeGreaterThan(0);
      for (const name of names) {
        const { mode } = await stat(path.join(folder, name));
        expect([name, mode & 0o077]).toEqual([name, 0]);
      }
    }
    for (const name of await readdir(runtimeDirectory)) {
      const facts = await stat(path.join(runtimeDirectory, name));
      if (facts.isSocket() && name.endsWith(".sock")) expect([name, facts.mode & 0o077]).toEqual([name, 0]);
    }
  });
});
