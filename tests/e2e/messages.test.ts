import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import {
  beatResource,
  changeResource,
  channelResource,
  deliveryResource,
  page,
  problemResource,
  type DeliveryResource,
} from "@mainstay/api";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { copyHello } from "../support/hello.ts";
import { startProduct, type Product } from "../support/product.ts";
import {
  startHttpReceiver,
  startMailReceiver,
  type HttpReceiver,
  type MailReceiver,
  type ReceivedRequest,
} from "../support/receivers.ts";
import { createTemporaryDirectory } from "../support/temporary.ts";
import { waitUntil } from "../support/wait-until.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const INTERVAL_MS = 1_000;

const home = createTemporaryDirectory();
let hook: HttpReceiver;
let beats: HttpReceiver;
let mail: MailReceiver;
let product: Product;

beforeAll(async () => {
  [hook, beats, mail] = await Promise.all([startHttpReceiver(), startHttpReceiver(), startMailReceiver()]);
  const file = path.join(home.path, "hook.secret");
  await writeFile(file, SECRET, { mode: 0o600 });
  const smtp = { host: "127.0.0.1", port: mail.port, tls: "none" };
  const channels = {
    "ops-hook": { kind: "webhook", url: `${hook.url}/token-in-path`, secrets: [{ file }] },
    "ops-mail": { kind: "email", from: "mainstay@example.com", to: ["ops@example.com"], smtp },
  };
  product = await startProduct({
    env: {
      MAINSTAY_CHANNELS: JSON.stringify(channels),
      MAINSTAY_BEAT_URL: JSON.stringify({ env: "BEAT_URL" }),
      MAINSTAY_BEAT_INTERVAL: `${INTERVAL_MS}ms`,
      BEAT_URL: `${beats.url}/ping-token`,
    },
  });
});
afterAll(async () => {
  await product?.stop();
  await Promise.all([hook?.close(), beats?.close(), mail?.close()]);
  home.remove();
});

function signatureOf({ headers }: ReceivedRequest): Record<string, string> {
  const names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
  return Object.fromEntries(names.map((name) => [name, String(headers[name])]));
}

const listing = z.object({ channels: channelResource.array(), beat: beatResource });

describe("messages", () => {
  it("arrive when somebody tests a channel", async () => {
    const tested = await product.cliJson(deliveryResource, "channels", "test", "ops-hook");
    expect([tested.exitCode, tested.document.state]).toEqual([0, "delivered"]);
    expect((await product.cli("channels", "test", "ops-mail")).stdout).toContain("delivered");
    expect([hook.requests.length, mail.mails.length]).toEqual([1, 1]);
  });

  it("tell of a release that was undone, once: by a signed webhook and by e-mail", async () => {
    const hello = await copyHello(product.directory);
    await hello.write("crashing.yaml", "mainstay.crashing.yaml");
    const bad = await product.cliJson(changeResource, "deploy", hello.directory, "--file", "crashing.yaml");
    expect(bad.document.state).toBe("undone");

    const told = await waitUntil("the webhook", () => hook.requests[1]);
    expect(new Webhook(SECRET).verify(told.body, signatureOf(told))).toMatchObject({
      specversion: "1.0",
      type: "changes.undone",
      subject: bad.document.id,
      data: { service: "hello", state: "undone", outcome: expect.stringContaining("crashed 3 times") },
    });
    const letter = await waitUntil("the e-mail", () => mail.mails[1]);
    expect(letter).toMatchObject({ from: "mainstay@example.com", to: ["ops@example.com"] });
    // Quoted-printable breaks lines.
    const text = letter.content.replaceAll("=\r\n", "");
    expect(text).toContain("Subject: [mainstay] hello (production): a change was undone");
    expect(text).toContain(`mainstay change show ${bad.document.id}`);
    await waitUntil("everything to be written down", async () => {
      const { items } = await product.api().get<{ items: DeliveryResource[] }>("/deliveries");
      return items.length === 4 && items.every(({ state }) => state === "delivered");
    });
    expect((await product.cliJson(page(problemResource), "problems")).document.items).toEqual([]);
  });

  it("show where they go without what may be secret, in listings and in the log", async () => {
    const { document } = await product.cliJson(listing, "channels", "list");
    expect(document.channels).toMatchObject([
      { name: "ops-hook", kind: "webhook", target: hook.url, state: "ready", pending: 0, failed: 0 },
      { name: "ops-mail", kind: "email", target: "ops@example.com", state: "ready", pending: 0, failed: 0 },
    ]);
    expect(document.beat).toMatchObject({ target: "from $BEAT_URL", state: "beating", problem: null });
    const log = await readFile(path.join(product.directory, "mainstay.log"), "utf8");
    for (const secret of ["token-in-path", "ping-token", SECRET]) expect(log).not.toContain(secret);
  });
});

describe("the beat", () => {
  it("arrives while the platform is well, and stops with the server", async () => {
    await waitUntil("beats", () => beats.requests.length >= 2);
    expect(beats.requests[0]).toMatchObject({ method: "GET", url: "/ping-token" });
    const server = await product.pidOf("server");
    process.kill(server, "SIGSTOP");
    try {
      await waitUntil("silence", () => Date.now() - (beats.requests.at(-1)?.at ?? 0) > 3 * INTERVAL_MS);
    } finally {
      process.kill(server, "SIGCONT");
    }
    const before = beats.requests.length;
    await waitUntil("the beat to be back", () => beats.requests.length > before);
  });
});
