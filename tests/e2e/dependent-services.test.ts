import { changeResource, previewResource } from "@mainstay/api";
import { beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { timelineOf } from "../support/changes.ts";
import { copyHello, type Hello } from "../support/hello.ts";
import { useProduct } from "../support/use-product.ts";

const named = z.object({ service: z.string(), release: z.string() });
const severalChanges = z.object({
  order: named.array(),
  changes: changeResource.array(),
  notBegun: named.array(),
});
const severalPlans = z.object({ order: named.array(), plans: previewResource.array() });

const product = useProduct();
let api: Hello;
let shop: Hello;

beforeAll(async () => {
  api = await copyHello(product().directory, "api");
  shop = await copyHello(product().directory, "shop");
  await describeService(api, "api");
  await describeService(shop, "shop", { dependsOn: ["api"] });
});

async function describeService(
  hello: Hello,
  service: string,
  more: Record<string, unknown> = {},
  base = "mainstay.yaml",
): Promise<void> {
  const rollout = { strategy: "immediate", keepWarm: "1h" };
  const health = { path: "/healthz", interval: "250ms", deadline: "2s" };
  const routes = [{ host: `${service}.test` }];
  await hello.write("mainstay.yaml", base, { rollout, web: { health }, more: { service, routes, ...more } });
}

it("are brought in one after the other, and what is not ready for them is told before", async () => {
  const alone = await product().cli("deploy", shop.directory, "--check");
  expect(alone.exitCode).toBe(1);
  expect(alone.stdout).toContain(
    "error    PREFLIGHT_DEPENDENCY: api, which shop depends on, does not serve in production",
  );
  const both = ["deploy", shop.directory, api.directory];
  const checked = await product().cliJson(severalPlans, ...both, "--check");
  expect(checked.exitCode, checked.stderr).toBe(0);
  expect(checked.document.order.map((each) => each.service)).toEqual(["api", "shop"]);
  expect(checked.document.plans.flatMap((each) => each.findings.map(({ about }) => about))).not.toContain(
    "api",
  );

  const { document, exitCode } = await product().cliJson(severalChanges, ...both);
  expect({ exitCode, notBegun: document.notBegun }).toEqual({ exitCode: 0, notBegun: [] });
  expect(document.changes.map(({ service, state }) => [service, state])).toEqual([
    ["api", "baking"],
    ["shop", "baking"],
  ]);
  const [first, second] = document.changes;
  const baking = (await timelineOf(product(), first?.id ?? "")).find((each) => each.to === "baking");
  expect(Date.parse(second?.createdAt ?? "")).toBeGreaterThanOrEqual(Date.parse(baking?.at ?? ""));
  expect((await product().cli("status")).stdout).toContain("  depends on api");
});

it("do not begin when one before them is undone, or when they go in a circle", async () => {
  await describeService(api, "api", {}, "mainstay.never-healthy.yaml");
  const both = ["deploy", shop.directory, api.directory];
  const { document, exitCode, stderr } = await product().cliJson(severalChanges, ...both);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("undone:") });
  expect(document.changes.map(({ service, state }) => [service, state])).toEqual([["api", "undone"]]);
  expect(document.notBegun.map((each) => each.service)).toEqual(["shop"]);

  await describeService(api, "api", { dependsOn: ["shop"] });
  const circle = await product().cli(...both);
  expect(circle).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("in a circle: production/shop"),
  });
  const refused = await product().cli("deploy", api.directory);
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("api → shop → api") });
});
