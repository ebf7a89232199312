import { changeResource } from "@mainstay/api";
import { expect, it } from "vitest";
import { timelineOf } from "../support/changes.ts";
import { copyHello } from "../support/hello.ts";
import { readMetric } from "../support/metrics.ts";
import { useProduct } from "../support/use-product.ts";

const product = useProduct();

it("a service that nobody uses is judged by probes: good releases go on, bad ones are undone", async () => {
  const hello = await copyHello(product().directory);
  const judge = { onTooLittleEvidence: "probe", probes: [{ path: "/" }], probeRate: 50 };
  const rollout = { stages: [{ weight: "50%", bake: "1s" }, { weight: "100%" }], keepWarm: "1s", judge };
  await hello.write("mainstay.yaml", "mainstay.yaml", { rollout });
  await hello.write("failing.yaml", "mainstay.failing.yaml", { rollout, env: { FAULT_ERRORS: "30%" } });
  const deploy = async (file: string) =>
    (await product().cliJson(changeResource, "deploy", hello.directory, "--file", file)).document;

  await deploy("mainstay.yaml");
  const good = await deploy("mainstay.yaml");
  expect(good).toMatchObject({ weight: 1, evidence: { verdict: "no-harm" } });
  const advanced = (await timelineOf(product(), good.id)).find((entry) => entry.by === "judge");
  expect(advanced?.reason).toMatch(/^probes: candidate 0 % \(0 of \d+ requests\) bad/);

  const bad = await deploy("failing.yaml");
  expect(bad).toMatchObject({ state: "undone", outcome: expect.stringMatching(/^probes: candidate \d/) });
  // No probe was counted as a user's request.
  const { service, candidate: release } = bad;
  expect(await readMetric(product(), "mainstay_proxy_requests_total", { service, release })).toBe(0);
});
