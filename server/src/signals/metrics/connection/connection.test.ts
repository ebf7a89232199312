import { once } from "node:events";
import { chmod, writeFile } from "node:fs/promises";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { TLSSocket } from "node:tls";
import { platformFile, type ConnectionConfig } from "@mainstay/api";
import { expect, it, onTestFinished } from "vitest";
import { startHttpReceiver } from "../../../../../tests/support/receivers.ts";
import { createSelfSigned } from "../../../../../tests/support/self-signed.ts";
import { createTemporaryDirectory } from "../../../../../tests/support/temporary.ts";
import { configuredAccess } from "./configured-access.ts";
import { createConnection } from "./connection.ts";

type Asked = Partial<{ headers: Record<string, string>; isAnonymous: boolean }>;

/** Asks with what the configuration says. */
function openConnection(settings: object, env: Record<string, string> = {}) {
  const config: ConnectionConfig = platformFile.parse({ metrics: { remote: settings } }).metrics.remote;
  const connection = createConnection(configuredAccess(config, env), { socketsMax: 2 });
  onTestFinished(connection.close);
  const { signal } = new AbortController();
  return async (url: string, { headers = {}, ...asked }: Asked = {}) =>
    connection.send({ url: new URL(url), method: "GET", headers, signal, ...asked });
}

async function startReceiver(answer?: RequestListener) {
  const receiver = await startHttpReceiver(answer);
  onTestFinished(() => receiver.close());
  return receiver;
}

function createFolder() {
  const directory = createTemporaryDirectory();
  onTestFinished(directory.remove);
  return {
    at: (name: string) => path.join(directory.path, name),
    async write(name: string, content: string): Promise<string> {
      await writeFile(path.join(directory.path, name), content, { mode: 0o600 });
      return path.join(directory.path, name);
    },
  };
}

/** A server with HTTPS that asks for certificates, and takes any. */
async function startSecure(answer: (name: string | null, response: ServerResponse) => void) {
  const own = createSelfSigned({ hosts: ["localhost"], from: new Date(), days: 1 });
  const options = { ...own, requestCert: true, rejectUnauthorized: false };
  const server = createServer(options, ({ socket }: IncomingMessage, response) => {
    const shown =
      socket instanceof TLSSocket ? (socket.getPeerX509Certificate()?.fingerprint256 ?? null) : null;
    answer(shown, response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `https://localhost:${port}`, cert: own.cert };
}

it("shows what files and variables hold at the moment, beside what the request says itself", async () => {
  const folder = createFolder();
  const receiver = await startReceiver();
  const file = await folder.write("password", "first\n");
  const ask = openConnection(
    {
      headers: { "X-Scope-OrgID": "a", "X-Key": { env: "KEY" } },
      basicAuth: { username: "ann", password: { file } },
    },
    { KEY: "from the environment" },
  );
  await ask(receiver.url, { headers: { accept: "text/plain" } });
  await folder.write("password", "second\n");
  await ask(receiver.url);
  const [first, second] = receiver.requests.map(({ headers }) => headers);
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString("base64")}`;
  expect(first).toMatchObject({
    ...{ "x-scope-orgid": "a", "x-key": "from the environment", accept: "text/plain" },
    "user-agent": "mainstay",
    authorization: basic("ann:first"),
  });
  expect(second?.authorization).toBe(basic("ann:second"));
});

it("leaves out the headers that prove who asks where it is told to", async () => {
  const receiver = await startReceiver();
  const settings = { headers: { "X-Key": { env: "KEY" } }, authorization: { credentials: { env: "KEY" } } };
  await openConnection(settings, { KEY: "k" })(receiver.url, { isAnonymous: true });
  const { authorization, "x-key": key } = receiver.requests[0]?.headers ?? {};
  expect([authorization, key]).toEqual([undefined, undefined]);
});

it("goes nowhere else", async () => {
  const elsewhere = await startReceiver();
  const receiver = await startReceiver((_request, response) =>
    response.writeHead(307, { location: elsewhere.url }).end(),
  );
  expect((await openConnection({})(receiver.url)).statusCode).toBe(307);
  expect(elsewhere.requests).toEqual([]);
});

it("asks nobody while a secret cannot be used, and says why without it", async () => {
  const folder = createFolder();
  const receiver = await startReceiver();
  const failing = async (credentials: object) => {
    const error: unknown = await openConnection({ authorization: { credentials } })(receiver.url).catch(
      (thrown: unknown) => thrown,
    );
    return String(error);
  };
  expect(await failing({ env: "TOKEN" })).toContain("TOKEN is not set in the server's environment");
  expect(await failing({ file: folder.at("none") })).toContain("none cannot be used: ENOENT");
  const open = await folder.write("open", "hunter2");
  await chmod(open, 0o644);
  expect(await failing({ file: open })).toContain("open cannot be used: other accounts may use it");
  const lines = await failing({ file: await folder.write("lines", "hunter2\r\nx-other: a") });
  expect(lines).toContain('Invalid character in header content ["authorization"]');
  expect(lines).not.toContain("hunter2");
  expect(receiver.requests).toEqual([]);
});

it("trusts nobody whom neither the system nor its file vouches for, and shows no secret then", async () => {
  const folder = createFolder();
  let asked = 0;
  const { url, cert } = await startSecure((_, response) => {
    asked += 1;
    response.end();
  });
  const stranger = createSelfSigned({ hosts: ["localhost"], from: new Date(), days: 1 });
  const caFile = await folder.write("ca.pem", stranger.cert);
  const ask = openConnection({ tlsConfig: { caFile } });
  await expect(openConnection({})(url)).rejects.toThrow("self-signed certificate");
  await expect(ask(url)).rejects.toThrow(/certificate/);
  expect(asked).toBe(0);
  await folder.write("ca.pem", cert);
  expect((await ask(url)).statusCode).toBe(200);
  expect((await openConnection({ tlsConfig: { insecureSkipVerify: true } })(url)).statusCode).toBe(200);
  const named = { tlsConfig: { caFile, serverName: "other.example" } };
  await expect(openConnection(named)(url)).rejects.toThrow("other.example");
});

it("shows the certificate that is there now, while an answer to the former goes on", async () => {
  const folder = createFolder();
  const shown: (string | null)[] = [];
  const { promise: goOn, resolve: letGoOn } = Promise.withResolvers<void>();
  const { url, cert } = await startSecure((name, response) => {
    shown.push(name);
    response.write("begun, ");
    void goOn.then(() => response.end("ended"));
  });
  const write = async () => {
    const own = createSelfSigned({ hosts: ["client"], from: new Date(), days: 1 });
    return { certFile: await folder.write("cert", own.cert), keyFile: await folder.write("key", own.key) };
  };
  const caFile = await folder.write("ca.pem", cert);
  const ask = openConnection({ tlsConfig: { caFile, ...(await write()) } });
  const first = await ask(url);
  await write();
  const second = await ask(url);
  letGoOn();
  expect([await text(first), await text(second)]).toEqual(["begun, ended", "begun, ended"]);
  expect(new Set(shown).size).toBe(2);
  expect(shown).not.toContain(null);
});
