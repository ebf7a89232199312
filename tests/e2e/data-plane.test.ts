import { changeResource, serviceResource, type ChangeResource } from "@mainstay/api";
import { beforeAll, describe, expect, it } from "vitest";
import { auditInOrder, watchUntil } from "../support/changes.ts";
import { copyHello, UNJUDGED_ROLLOUT, type Hello } from "../support/hello.ts";
import { lostOf, NOTHING_LOST, underLoad } from "../support/load.ts";
import { useProduct } from "../support/use-product.ts";
import { waitUntil } from "../support/wait-until.ts";

/** Long enough for a change to end meanwhile, on a machine that has much else to do. */
const DRAIN = "10s";

const product = useProduct();
let hello: Hello;

beforeAll(async () => {
  hello = await copyHello(product().directory);
  const rollout = { ...UNJUDGED_ROLLOUT, keepWarm: "1s" };
  await hello.write("mainstay.yaml", "mainstay.yaml", { rollout, more: { connections: { drain: DRAIN } } });
  await deploy();
});

async function deploy(): Promise<ChangeResource> {
  return (await product().cliJson(changeResource, "deploy", hello.directory)).document;
}

/** A WebSocket to the service, with what it is told. */
async function openSocket() {
  const socket = new WebSocket(`${product().dataPlaneUrl.replace("http:", "ws:")}/socket`);
  const messages: unknown[] = [];
  socket.addEventListener("message", ({ data }) => messages.push(data));
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener("close", resolve));
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error("the WebSocket was refused")));
  });
  async function ask(): Promise<unknown> {
    const count = messages.length;
    socket.send("who?");
    await waitUntil("an answer", () => messages.length > count);
    return messages.at(-1);
  }
  return { closed, ask, isOpen: () => socket.readyState === WebSocket.OPEN, close: () => socket.close() };
}

describe("a WebSocket", () => {
  it("outlives a deploy until its limit, then is closed with 1001, and requests lose nothing", async () => {
    const { ask, closed, isOpen } = await openSocket();
    const old = await ask();
    const { result: change, load } = await underLoad(product(), async () => {
      const { id } = await deploy();
      // The change does not wait for it …
      const ended = await watchUntil(product(), id, ({ state }) => state === "succeeded");
      // … and it still speaks with the release it was opened to.
      expect([isOpen(), await ask()]).toEqual([true, old]);
      expect(await closed).toMatchObject({ code: 1001, wasClean: true });
      return ended;
    });
    expect(change.stable).toBe(old);
    expect(lostOf(load)).toEqual(NOTHING_LOST);
    await waitUntil("the old instance to be gone", async () => {
      return (await product().observed()).instances.every((each) => each.release === change.candidate);
    });
    const next = await openSocket();
    expect(await next.ask()).toBe(change.candidate);
    next.close();
  });
});

describe("mainstay maintenance", () => {
  const page = () => fetch(product().dataPlaneUrl, { headers: { accept: "text/html" } });

  it("puts a page in the place of a service and takes it away again, audited", async () => {
    const on = await product().cliJson(
      serviceResource,
      ...["maintenance", "on", "hello", "--retry-after", "15m", "--reason", "new disks"],
    );
    expect([on.exitCode, on.document.maintenance]).toEqual([0, { retryAfterSeconds: 900 }]);
    const answer = await page();
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "900"]);
    expect(await answer.text()).toContain("Under maintenance");
    expect((await product().cli("status", "hello")).stdout).toContain("the maintenance page instead of");

    const off = await product().cli("maintenance", "off", "hello");
    expect([off.exitCode, off.stdout]).toEqual([0, "hello answers again\n"]);
    expect((await page()).status).toBe(200);
    const acts = (await auditInOrder(product())).filter((each) => each.action.includes("maintenance"));
    expect(acts.map(({ action, reason }) => [action, reason])).toEqual([
      ["services.maintenance_begun", "new disks"],
      ["services.maintenance_ended", null],
    ]);
  });

  it("says which services there are not", async () => {
    const { exitCode, stderr } = await product().cli("maintenance", "on", "nobody");
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("nobody") });
  });
});
