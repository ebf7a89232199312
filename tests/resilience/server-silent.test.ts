import { changeResource } from "@mainstay/api";
import { beforeAll, describe, expect, it } from "vitest";
import { auditInOrder, findGaps, watchUntil } from "../support/changes.ts";
import { copyHello, type Hello } from "../support/hello.ts";
import { lostOf, NOTHING_LOST, underLoad } from "../support/load.ts";
import { useProduct } from "../support/use-product.ts";
import { waitUntil } from "../support/wait-until.ts";

const product = useProduct({ env: { MAINSTAY_AGENT_LEASE_TTL: "2s" } });
let hello: Hello;

beforeAll(async () => {
  hello = await copyHello(product().directory);
  await hello.write("mainstay.yaml", "mainstay.yaml", {
    rollout: {
      stages: [{ weight: "10%", bake: "1s" }, { weight: "50%", bake: "1h" }, { weight: "100%" }],
      judge: { onTooLittleEvidence: "advance" },
    },
  });
  await product().cli("deploy", hello.directory);
});

async function weightInForce(): Promise<number | undefined> {
  return (await product().observed()).services[0]?.weight;
}

describe("a server that is silent for longer than its lease, in the middle of a step", () => {
  it("finds the proven weights in force, restores its own and audits what the agent did", async () => {
    const { document: change } = await product().cliJson(
      changeResource,
      "deploy",
      hello.directory,
      "--detach",
    );
    await watchUntil(product(), change.id, (each) => each.state === "stepping" && each.stage === 1);
    await waitUntil("the second stage's weight to be in force", async () => (await weightInForce()) === 5000);
    const server = await product().pidOf("server");

    const { load } = await underLoad(product(), async () => {
      process.kill(server, "SIGSTOP");
      await waitUntil("the lease to expire", async () => (await product().observed()).leaseExpired);
      await waitUntil("the proven weight to be in force", async () => (await weightInForce()) === 1000);
      process.kill(server, "SIGCONT");
      await waitUntil("the server's weight to be in force", async () => (await weightInForce()) === 5000);
    });
    expect(await product().pidOf("server")).toBe(server);
    expect(lostOf(load)).toEqual(NOTHING_LOST);

    const fallen = await waitUntil("the agent's act to be audited", async () => {
      const acts = await auditInOrder(product());
      return acts.find((each) => each.action === "agent.lease_expired");
    });
    expect(fallen).toMatchObject({
      change: change.id,
      actor: { type: "system", id: "agent" },
      after: { weight: 5000, proven: 1000 },
    });

    expect((await product().cli("change", "abort", change.id, "--reason", "seen enough")).exitCode).toBe(0);
    const ended = await watchUntil(product(), change.id, (each) => each.finishedAt !== null);
    expect(ended).toMatchObject({ state: "undone", outcome: "seen enough" });
    expect(await findGaps(product(), change.id)).toEqual([]);
  });
});
