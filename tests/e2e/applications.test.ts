import http from "node:http";
import path from "node:path";
import { json } from "node:stream/consumers";
import { changeResource, type ChangeResource } from "@mainstay/api";
import { beforeAll, describe, expect, it, type TestContext } from "vitest";
import { watchUntil } from "../support/changes.ts";
import { prepareExample, type Example } from "../support/example.ts";
import { findFreePort } from "../support/free-port.ts";
import { sendMail, type Mail } from "../support/smtp.ts";
import { startSteadyRequests } from "../support/steady-requests.ts";
import { useProduct } from "../support/use-product.ts";
import { waitUntil } from "../support/wait-until.ts";

/** npm fetches some hundred packages the first time. */
const INSTALL_TIMEOUT_MS = 300_000;
const MOCKS_HOST = "mocks.example.com";

const product = useProduct();
let examples: { maildev: Example; mockoon: Example };

beforeAll(async () => {
  const [maildev, mockoon] = await Promise.all(["maildev", "mockoon"].map(prepareExample));
  if (!maildev || !mockoon) throw new Error("both are prepared");
  examples = { maildev, mockoon };
}, INSTALL_TIMEOUT_MS);

/** Passes the test over, with the reason, where the example could not be installed. */
function needs({ missing, directory }: Example, context: TestContext): string {
  if (missing === null) return directory;
  process.stderr.write(`\nPassed over: ${missing}\n`);
  return context.skip(missing);
}

async function change(...args: string[]): Promise<ChangeResource> {
  const { exitCode, stderr, document } = await product().cliJson(changeResource, ...args);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return document;
}

/** Does something that replaces a release while requests come, to the end of the change. */
async function replace(send: () => Promise<{ status: number }>, ...args: string[]): Promise<void> {
  const requests = startSteadyRequests(send);
  try {
    await waitUntil("the first answers", () => requests.answered() > 0);
    const { id } = await change(...args);
    await product().api().post(`/changes/${id}/finish`, {});
    await watchUntil(product(), id, ({ state }) => state === "succeeded");
  } finally {
    await requests.stop();
  }
  expect(await requests.stop()).toEqual([]);
  expect(requests.answered()).toBeGreaterThan(20);
}

describe("maildev, a mailbox with WebSockets", () => {
  const get = (resource: string) => fetch(product().dataPlaneUrl + resource);
  const read = async (resource: string) => (await get(resource)).json();

  /** The page's own connection: Socket.IO 4 over Engine.IO 4, as a WebSocket from the start. */
  async function openMailbox() {
    const url = product().dataPlaneUrl.replace("http:", "ws:");
    const socket = new WebSocket(`${url}/socket.io/?EIO=4&transport=websocket`);
    const frames: string[] = [];
    socket.addEventListener("message", ({ data }) => {
      frames.push(String(data));
      if (String(data).startsWith("0{")) socket.send("40");
      if (data === "2") socket.send("3");
    });
    const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener("close", resolve));
    await waitUntil("Socket.IO to greet", () => frames.some((each) => each.startsWith("40{")));
    const hears = ({ subject }: Mail) =>
      waitUntil(`the mail "${subject}" over the WebSocket`, () =>
        frames.some((each) => each.startsWith('42["newMail"') && each.includes(`"subject":"${subject}"`)),
      );
    return { hears, closed, close: () => socket.close() };
  }

  it("takes mail in, is replaced with nothing lost, and closes WebSockets with 1001", async (context) => {
    const directory = needs(examples.maildev, context);
    const smtpPort = findFreePort();
    const variables = [`SMTP_PORT=${smtpPort}`, `MAIL_DIRECTORY=${path.join(product().directory, "mails")}`];
    const deploy = ["deploy", directory, ...variables.flatMap((each) => ["--env", each])];
    const mail = { from: "ann@example.com", to: "bob@example.com", subject: "first", text: "Hello, Bob!" };
    const send = (each: Mail) =>
      waitUntil("the mail to be taken", () =>
        sendMail(smtpPort, each).then(
          () => true,
          () => false,
        ),
      );

    await change(...deploy);
    const mailbox = await openMailbox();
    await send(mail);
    await mailbox.hears(mail);
    expect(await read("/email")).toMatchObject([{ subject: "first", text: "Hello, Bob!\n" }]);
    expect(await read("/config")).toMatchObject({ isOutgoingEnabled: false });

    await replace(() => get("/email"), ...deploy, "--env", "OUTGOING_HOST=relay.example.com");
    expect(await mailbox.closed).toMatchObject({ code: 1001, wasClean: true });
    expect(await read("/config")).toMatchObject({
      isOutgoingEnabled: true,
      outgoingHost: "relay.example.com",
    });

    const next = await openMailbox();
    await send({ ...mail, subject: "second" });
    await next.hears({ ...mail, subject: "second" });
    const subjects = (await read("/email")) as Mail[];
    expect(new Set(subjects.map(({ subject }) => subject))).toEqual(new Set(["first", "second"]));
    next.close();
  });
});

describe("Mockoon, an API made of a file", () => {
  /** With a Host of its own, which fetch would not send. */
  function ask(method: string, resource: string, body?: object): Promise<{ status: number; body: unknown }> {
    const { hostname, port } = new URL(product().dataPlaneUrl);
    const headers = { host: MOCKS_HOST, "content-type": "application/json" };
    return new Promise((resolve, reject) => {
      const request = http.request({ hostname, port, method, path: resource, headers }, (response) => {
        const status = response.statusCode ?? 0;
        json(response).then((answer) => resolve({ status, body: answer }), reject);
      });
      request.once("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  it("answers as its file says, then as its new settings say, and loses nothing", async (context) => {
    await change("deploy", needs(examples.mockoon, context));
    expect(await ask("GET", "/items/7")).toEqual({ status: 200, body: { id: 7, name: "teapot" } });
    expect(await ask("GET", "/items/0")).toEqual({ status: 404, body: { error: "no such item" } });
    expect(await ask("POST", "/items", { name: "cup" })).toEqual({ status: 201, body: { received: "cup" } });
    await replace(() => ask("GET", "/items/7"), "env", "set", "mockoon", "MOCKOON_ITEM_NAME=kettle");
    expect((await ask("GET", "/items/7")).body).toEqual({ id: 7, name: "kettle" });
  });
});
