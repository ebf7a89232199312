import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TLSSocket } from "node:tls";
import { certificateResource } from "@mainstay/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSelfSigned } from "../support/self-signed.ts";
import { runCommand } from "../support/command.ts";
import { findFreePort } from "../support/free-port.ts";
import { copyHello } from "../support/hello.ts";
import { HAS_PEBBLE, startPebble, type Pebble } from "../support/pebble.ts";
import { startProduct, type Product } from "../support/product.ts";
import { waitUntil } from "../support/wait-until.ts";

const HOST = "hello.mainstay.test";
const IS_CI = process.env["CI"] === "true";

it("where everything has to be tested, Debian's package pebble is installed", () => {
  expect(HAS_PEBBLE || !IS_CI, "apt-get install pebble").toBe(true);
});

describe.skipIf(!HAS_PEBBLE)("HTTPS (certificates by Debian's pebble; skipped where it is absent)", () => {
  const tlsPort = findFreePort();
  let own = "";
  let pebble: Pebble;
  let root = "";
  let product: Product;

  beforeAll(async () => {
    own = await mkdtemp(path.join(tmpdir(), "mainstay-own-"));
    await writeOwnCertificate();
    const httpPort = findFreePort();
    pebble = await startPebble({ httpPort });
    root = await pebble.root();
    const certificates = [{ cert: path.join(own, "own.crt"), key: path.join(own, "own.key") }];
    product = await startProduct({
      env: {
        MAINSTAY_PROXY_PORT: String(httpPort),
        MAINSTAY_PROXY_TLS_PORT: String(tlsPort),
        MAINSTAY_PROXY_TLS_CERTIFICATES: JSON.stringify(certificates),
        MAINSTAY_PROXY_WORKERS: "2",
        MAINSTAY_SERVER_PUBLIC_HOST: "localhost",
        MAINSTAY_ACME_AGREE_TO_TERMS: "true",
        MAINSTAY_ACME_DIRECTORY: pebble.directory,
        MAINSTAY_ACME_CA_FILE: pebble.caFile,
        MAINSTAY_ACME_EMAIL: "ops@example.com",
      },
    });
  });
  afterAll(async () => {
    await product?.stop();
    await pebble?.stop();
    await rm(own, { recursive: true, force: true });
  });

  /** A certificate of one's own for localhost; answers its PEM. */
  async function writeOwnCertificate(): Promise<string> {
    const { cert, key } = createSelfSigned({
      hosts: ["localhost"],
      from: new Date(Date.now() - 60_000),
      days: 30,
    });
    await writeFile(path.join(own, "own.key"), key, { mode: 0o600 });
    await writeFile(path.join(own, "own.crt"), cert);
    return cert;
  }

  /** One request that only a certificate of pebble's will do for. */
  async function ask(
    agent = new Agent(),
  ): Promise<{ status: number; body: string; headers: object; serial: string }> {
    const sent = request({
      ...{ host: "127.0.0.1", port: tlsPort, servername: HOST, headers: { host: HOST }, ca: root, agent },
    }).end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const serial = (response.socket as TLSSocket).getPeerX509Certificate()?.serialNumber ?? "";
    const body = Buffer.concat(await response.toArray()).toString();
    return { status: response.statusCode ?? 0, body, headers: response.headers, serial };
  }

  const show = async () =>
    (await product.cliJson(certificateResource, "certificates", "show", HOST)).document;

  it("is there without anybody doing anything, and verified by the authority's root", async () => {
    const hello = await copyHello(product.directory);
    await hello.write("mainstay.yaml", "mainstay.yaml", { more: { routes: [{ host: HOST }] } });
    expect((await product.cli("deploy", hello.directory)).exitCode).toBe(0);
    const issued = await waitUntil("the certificate", async () => {
      const certificate = await show().catch(() => null);
      return certificate?.state === "valid" ? certificate : null;
    });
    expect(issued).toMatchObject({ source: "acme", names: [HOST], attempts: 0, problem: null });
    const answer = await waitUntil("HTTPS", () => ask().catch(() => null));
    expect([answer.status, answer.body]).toEqual([200, "Hello, world!\n"]);
    expect(answer.headers).toMatchObject({ "strict-transport-security": "max-age=604800" });
  });

  it("is where plain requests are sent", async () => {
    const { proxyPort } = portsOf(product);
    const plain = await askPlain(proxyPort, HOST);
    expect(plain).toMatchObject({ status: 308, location: `https://${HOST}:${tlsPort}/a?b=c` });
  });

  it("loses no request while its certificate is renewed", async () => {
    const before = await show();
    const load = startLoad((agent) => ask(agent));
    await load.more(100);
    for (let turn = 0; turn < 3; turn += 1) {
      const renewed = await product.cli("certificates", "renew", HOST);
      expect([renewed.exitCode, renewed.stdout]).toEqual([0, expect.stringContaining("issued by Pebble")]);
      await load.more(100);
    }
    const { requests, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(requests).toBeGreaterThanOrEqual(400);
    const after = await show();
    expect(after.serial).not.toBe(before.serial);
    await waitUntil("the new certificate", async () => (await ask()).serial.toLowerCase() === after.serial);
  });

  it("leads to the API under a host of its own, with a certificate from a file", async () => {
    const access = { ...product.access(), MAINSTAY_URL: `https://localhost:${tlsPort}` };
    const env = { ...access, NODE_EXTRA_CA_CERTS: path.join(own, "own.crt") };
    const status = await runCommand(["status"], { env, cwd: own });
    expect({ exitCode: status.exitCode, stdout: status.stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("hello"),
    });
    const plain = await askPlain(portsOf(product).proxyPort, "localhost");
    expect(plain).toMatchObject({ status: 308, location: `https://localhost:${tlsPort}/a?b=c` });
  });

  it("takes another file up when it changes", async () => {
    const before = (await product.cliJson(certificateResource, "certificates", "show", "localhost")).document;
    await writeOwnCertificate();
    const after = await waitUntil("the new file to be read", async () => {
      const shown = (await product.cliJson(certificateResource, "certificates", "show", "localhost"))
        .document;
      return shown.serial === before.serial ? null : shown;
    });
    expect(after).toMatchObject({ source: "file", state: "valid" });
  });

  it("keeps keys where only the server's account may read them, and nowhere else", async () => {
    const keys = (await filesBelow("certificates")).filter((file) => file.endsWith(".key"));
    expect(keys).toHaveLength(1);
    const key = await readFile(path.join(product.dataDirectory, keys[0] ?? ""), "utf8");
    const secret = key.split("\n")[1] ?? "";
    const holding: string[] = [];
    for (const file of await filesBelow("")) {
      const place = path.join(product.dataDirectory, file);
      const text = await readFile(place, "latin1").catch(() => "");
      if (!text.includes(secret)) continue;
      holding.push(file);
      expect([file, (await stat(place)).mode & 0o777]).toEqual([file, 0o600]);
    }
    expect(holding.toSorted()).toEqual(["agent/https.json", keys[0]]);
    expect(product.log()).not.toContain(secret);
    const audit = JSON.stringify(await product.api().get("/audit?limit=200"));
    expect(audit).toContain("certificates.issued");
    expect(audit).not.toContain(secret);
  });

  it("goes on with what it has when the authority is gone, and says so", async () => {
    await pebble.kill();
    const renewed = await product.cli("certificates", "renew", HOST);
    expect([renewed.exitCode, renewed.stderr]).toEqual([
      1,
      expect.stringContaining(`no certificate for ${HOST}`),
    ]);
    expect(await show()).toMatchObject({
      state: "valid",
      attempts: 1,
      problem: expect.stringMatching(/ECONNREFUSED/),
    });
    expect((await ask()).status).toBe(200);
    const list = await product.cli("certificates");
    expect(list.stdout).toMatch(new RegExp(`${HOST} +valid +acme +Pebble`));
  });

  async function filesBelow(directory: string): Promise<string[]> {
    const place = path.join(product.dataDirectory, directory);
    const entries = await readdir(place, { recursive: true, withFileTypes: true });
    return entries
      .filter((each) => each.isFile())
      .map((each) => path.relative(product.dataDirectory, path.join(each.parentPath, each.name)));
  }
});

function portsOf(product: Product): { proxyPort: number } {
  return { proxyPort: Number(new URL(product.dataPlaneUrl).port) };
}

async function askPlain(
  port: number,
  host: string,
): Promise<{ status: number | undefined; location: string }> {
  const [response] = (await once(
    get({ host: "127.0.0.1", port, path: "/a?b=c", headers: { host } }),
    "response",
  )) as [IncomingMessage];
  response.resume();
  return { status: response.statusCode, location: response.headers.location ?? "" };
}

/**
 * Users who keep their connection and never repeat a request
 * that failed, and one who opens a new one each time.
 */
function startLoad(ask: (agent: Agent) => Promise<{ status: number }>) {
  const result = { requests: 0, failures: [] as string[] };
  let isStopped = false;

  async function user(isKept: boolean): Promise<void> {
    const agent = new Agent({ keepAlive: isKept, maxSockets: 1 });
    while (!isStopped) {
      const outcome = await ask(agent).then(
        ({ status }) => status,
        (error: Error) => error.message,
      );
      result.requests += 1;
      if (outcome !== 200) result.failures.push(String(outcome));
    }
    agent.destroy();
  }

  const users = [true, true, true, false].map(user);
  return {
    more: (count: number) => {
      const goal = result.requests + count;
      return waitUntil(`${count} more requests`, () => result.requests >= goal);
    },
    async stop() {
      isStopped = true;
      await Promise.all(users);
      return result;
    },
  };
}
