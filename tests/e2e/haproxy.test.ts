import { changeResource } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import { lookForHaproxy } from "../../agent/src/haproxy/look-for-haproxy.ts";
import { copyHello } from "../support/hello.ts";
import { lostOf, NOTHING_LOST, underLoad } from "../support/load.ts";
import { useProduct } from "../support/use-product.ts";
import { releaseServed } from "../support/visitors.ts";

const IS_INSTALLED = lookForHaproxy().haproxy !== null;

describe.skipIf(!IS_INSTALLED)(
  "the data plane on HAProxy (Debian's package; skipped where it is absent)",
  () => {
    const product = useProduct({ env: { MAINSTAY_PROXY_ENGINE: "haproxy" } });

    it("takes a good release over and has a failing one undone by the judge; nothing is lost", async () => {
      const hello = await copyHello(product().directory);
      const deploy = async (file: string) =>
        (await product().cliJson(changeResource, "deploy", hello.directory, "--file", file)).document;
      const stages = [{ weight: "50%", bake: "1s" }, { weight: "100%" }];
      const rollout = { stages, judge: { metrics: ["errors"] }, keepWarm: "1s" };
      await hello.write("mainstay.yaml", "mainstay.yaml", { rollout });
      await hello.write("failing.yaml", "mainstay.failing.yaml", { rollout });
      await deploy("mainstay.yaml");

      const { result, load } = await underLoad(product(), async () => [
        await deploy("mainstay.yaml"),
        await deploy("failing.yaml"),
      ]);
      const [good, bad] = result;
      expect([good?.state, bad?.state, bad?.evidence?.verdict]).toEqual(["baking", "undone", "harm"]);
      expect(lostOf(load)).toEqual(NOTHING_LOST);
      expect(await releaseServed(product().dataPlaneUrl)).toBe(good?.candidate);
      expect(await product().pidOf("haproxy")).toBeGreaterThan(0);
      expect(product().log()).not.toContain("HAProxy refused a change");
    });
  },
);
