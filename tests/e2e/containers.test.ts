import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { changeResource, type ServiceResource } from "@mainstay/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findGaps } from "../support/changes.ts";
import { HAS_PODMAN, startPodman, type Podman } from "../support/podman.ts";
import { startProduct, type Product } from "../support/product.ts";
import { startRegistry, type Registry } from "../support/registry.ts";
import { waitUntil } from "../support/wait-until.ts";

describe.skipIf(!HAS_PODMAN)("containers (Debian's podman, as root; skipped where it is absent)", () => {
  let podman: Podman;
  let registry: Registry;
  let product: Product;

  beforeAll(async () => {
    [podman, registry] = await Promise.all([startPodman(), startRegistry()]);
    product = await startProduct({ env: { MAINSTAY_AGENT_CONTAINER_SOCKET: podman.socket } });
  });
  afterAll(async () => {
    await product?.stop();
    await podman?.stop();
    await registry?.stop();
  });

  const served = async () => (await fetch(product.dataPlaneUrl)).text();

  async function deploy(image: string) {
    const directory = path.join(product.directory, "shop");
    await mkdir(directory, { recursive: true });
    const web = { image, port: "auto", health: { path: "/healthz", interval: "200ms" }, stopTimeout: "2s" };
    const rollout = { strategy: "immediate", keepWarm: "1h" };
    const file = { service: "shop", processes: { web }, rollout };
    await writeFile(path.join(directory, "mainstay.yaml"), JSON.stringify(file));
    return product.cliJson(changeResource, "deploy", directory);
  }

  it("ships an image by its tag, then another one, and comes back by a rollback", async () => {
    const tag = `${registry.host}/shop:1`;
    const one = await registry.publish("shop", "1", "version one");
    const first = await deploy(tag);
    expect([first.exitCode, first.document.state]).toEqual([0, "baking"]);
    expect(await served()).toBe("version one");

    // The tag stands for something else now; what runs does not change with it.
    const two = await registry.publish("shop", "1", "version two");
    const second = await deploy(tag);
    expect([second.exitCode, second.document.state]).toEqual([0, "baking"]);
    expect(await served()).toBe("version two");
    const running = podman.run("ps", "--format", '{{index .Labels "mainstay.image"}}').trim().split("\n");
    expect(running.toSorted()).toEqual([one, two].toSorted());

    // The agent goes and comes back: nothing of it is started anew.
    const pids = async () => (await product.observed()).instances.map((each) => each.pid);
    const before = await pids();
    const { bootId } = await product.observed();
    await product.kill("agent");
    await waitUntil("the next agent", async () => {
      const observed = await product.observed().catch(() => null);
      return observed !== null && observed.bootId !== bootId;
    });
    expect(await pids()).toEqual(before);

    expect((await product.cli("rollback", "shop")).exitCode).toBe(0);
    expect(await served()).toBe("version one");
    expect(await findGaps(product, second.document.id)).toEqual([]);
    expect((await product.cli("logs", "shop")).stdout).toContain("listening");
    const { items } = await product.api().get<{ items: ServiceResource[] }>("/services");
    expect(items[0]?.instances).toMatchObject([{ state: "ready", crashes: 0 }]);
  });

  it("says what keeps an image from being had, before anything is altered", async () => {
    const before = await product.api().get<{ items: unknown[] }>("/releases");
    const refusal = await deploy(`${registry.host}/nothing:1`).catch((error: unknown) => String(error));
    expect(refusal).toContain(`the image ${registry.host}/nothing:1 cannot be had`);
    expect(refusal).toContain("manifest unknown");
    expect(await product.api().get("/releases")).toEqual(before);
  });
});
