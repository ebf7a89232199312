import { changeResource, replayResource } from "@mainstay/api";
import { beforeAll, describe, expect, it } from "vitest";
import { findGaps, statesOf, timelineOf } from "../support/changes.ts";
import { statusDocument } from "../support/documents.ts";
import { copyHello, SHORT_ROLLOUT, type Hello } from "../support/hello.ts";
import { lostOf, NOTHING_LOST, underLoad } from "../support/load.ts";
import { readMetric } from "../support/metrics.ts";
import { useProduct } from "../support/use-product.ts";
import { releaseServed, startVisitors } from "../support/visitors.ts";

const product = useProduct();
let hello: Hello;
let first: Awaited<ReturnType<typeof deploy>>;

/** `mainstay deploy` of one of the service files: its exit code, what it said, and the change as it ended. */
async function deploy(file: string) {
  const { document, ...result } = await product().cliJson(
    changeResource,
    "deploy",
    hello.directory,
    "--file",
    file,
  );
  return { ...result, change: document };
}

const served = () => releaseServed(product().dataPlaneUrl);

beforeAll(async () => {
  hello = await copyHello(product().directory);
  // To rule a slower candidate out takes more traffic than fits into a test.
  const byErrors = { ...SHORT_ROLLOUT, judge: { metrics: ["errors"] } };
  await hello.write("mainstay.yaml", "mainstay.yaml", { rollout: byErrors });
  const stages = [{ weight: "25%", bake: "1s" }, { weight: "100%" }];
  await hello.write("failing.yaml", "mainstay.failing.yaml", { rollout: { stages } });
  await hello.write("slow.yaml", "mainstay.slow.yaml", {
    env: { FAULT_LATENCY: "10x" },
    rollout: { stages, judge: { warmup: "2s" } },
  });
  await hello.write("crashing.yaml", "mainstay.crashing.yaml");
  await hello.write("never-healthy.yaml", "mainstay.never-healthy.yaml", {
    web: { health: { path: "/healthz", deadline: "4s" } },
  });
  first = await deploy("mainstay.yaml");
});

describe("a release, deployed by the command line under load", () => {
  it("serves everybody at once when it is the first", async () => {
    const { exitCode, change } = first;
    expect({ exitCode, weight: change.weight, stable: change.stable }).toEqual({
      exitCode: 0,
      weight: 1,
      stable: null,
    });
    expect(await served()).toBe(change.candidate);
  });

  it("takes over stage by stage when it is good, loses no request and never moves a user back", async () => {
    const before = await served();
    const visitors = startVisitors(product().dataPlaneUrl, 50);
    const { result, load } = await underLoad(product(), () => deploy("mainstay.yaml"));
    const met = await visitors.stop();
    const { exitCode, change } = result;

    expect({ exitCode, state: change.state, weight: change.weight }).toEqual({
      exitCode: 0,
      state: "baking",
      weight: 1,
    });
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    expect(await served()).toBe(change.candidate);
    expect((await statesOf(product(), change.id)).filter((state) => state.startsWith("stepping"))).toEqual([
      "stepping 0",
      "stepping 1",
      "stepping 2",
      "stepping 3",
    ]);
    expect(await findGaps(product(), change.id)).toEqual([]);
    for (const releases of met)
      expect([[change.candidate], [before, change.candidate]]).toContainEqual(releases);
  });

  it("is undone by the judge when it fails some requests, and nobody else notices", async () => {
    const before = await served();
    const { result, load } = await underLoad(product(), () => deploy("failing.yaml"));
    const { exitCode, stderr, change } = result;

    expect({ exitCode, state: change.state, weight: change.weight }).toEqual({
      exitCode: 1,
      state: "undone",
      weight: 0,
    });
    expect(change.evidence?.verdict).toBe("harm");
    expect(stderr).toContain(change.outcome ?? "an outcome");
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    expect(await served()).toBe(before);
    const verdict = (await timelineOf(product(), change.id)).find(
      (entry) => entry.to === "restoring-weights",
    );
    expect(verdict).toMatchObject({ by: "judge", evidence: { verdict: "harm" } });
    expect(await findGaps(product(), change.id)).toEqual([]);
  });

  it("is undone by the judge when it takes ten times as long", async () => {
    const before = await served();
    const { result, load } = await underLoad(product(), () => deploy("slow.yaml"));
    const { exitCode, change } = result;

    expect({ exitCode, state: change.state }).toEqual({ exitCode: 1, state: "undone" });
    // The two views of latency gather evidence at speeds of their own; the first to be sure decides.
    const harmed = change.evidence?.perMetric.filter(({ verdict }) => verdict === "harm");
    expect(harmed?.map(({ metric }) => metric)).toContainEqual(expect.stringMatching(/latency$/));
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    expect(await served()).toBe(before);
    const replay = await product().cliJson(replayResource, "change", "replay", change.id);
    expect(replay.document).toMatchObject({ isEqual: true });
  });

  it.each([
    { file: "crashing.yaml", why: /crashed 3 times \(exit code 1\)/ },
    { file: "never-healthy.yaml", why: /was not healthy within/ },
  ])("never gets a request when it does not get healthy ($file)", async ({ file, why }) => {
    const before = await served();
    const { result, load } = await underLoad(product(), () => deploy(file));
    const { exitCode, change } = result;

    expect({ exitCode, state: change.state, firstCandidateAt: change.firstCandidateAt }).toEqual({
      exitCode: 1,
      state: "undone",
      firstCandidateAt: null,
    });
    expect(change.outcome).toMatch(why);
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    expect(Object.keys(load.byRelease)).toEqual([before]);
    expect(await readMetric(product(), "mainstay_proxy_requests_total", { release: change.candidate })).toBe(
      0,
    );
    expect(await findGaps(product(), change.id)).toEqual([]);
  });

  it("leaves the platform with nothing lost and nothing on trial", async () => {
    const { document } = await product().cliJson(statusDocument, "status");
    const { platform, services } = document;
    expect(platform).toMatchObject({ lost: {}, changesActive: 0, agent: "connected" });
    expect(services).toMatchObject([{ service: "hello", candidate: null, weight: 0 }]);
  });
});
