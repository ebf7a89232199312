import { once } from "node:events";
import { request as plainRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSelfSigned } from "../system/self-signed.ts";
import { askHttp2, askTls, openHttp2 } from "../testing/tls-client.ts";
import {
  sendRaw,
  startTestWorker,
  startUpstream,
  type TestUpstream,
  type TestWorker,
} from "../testing/worker.ts";

const SHOP = "shop.example.com";

/** Answers what it was asked. */
async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url, headers } = request;
  const answer = JSON.stringify({ method, url, headers, body: await text(request) });
  response.writeHead(200, { "set-cookie": ["a=1", "b=2"], "x-reason": "yes" }).end(answer);
}

function certificateFor(...hosts: string[]) {
  return { hosts, ...createSelfSigned({ hosts, from: new Date(), days: 1 }) };
}

describe("TLS", () => {
  let worker: TestWorker;
  let upstream: TestUpstream;
  beforeAll(async () => {
    upstream = await startUpstream((request, response) => {
      void echo(request, response);
    });
    worker = await startTestWorker();
    await worker.route([{ stable: upstream.arm("rel_1") }]);
    await worker.https({ certificates: [certificateFor(SHOP), certificateFor("*.wild.example.com")] });
  });
  afterAll(async () => {
    await worker.stop();
    await upstream.stop();
  });

  async function handshake(options: ConnectionOptions): Promise<TLSSocket> {
    const socket = connect({
      host: "127.0.0.1",
      port: worker.tlsPort,
      rejectUnauthorized: false,
      ...options,
    });
    await once(socket, "secureConnect");
    return socket;
  }

  it("shows each host its own certificate, and unknown names one that nobody vouches for", async () => {
    const port = worker.tlsPort;
    const shown = async (host: string) => (await askTls({ port, host })).names;
    expect(await shown(SHOP)).toBe(`DNS:${SHOP}`);
    expect(await shown("SHOP.Example.com")).toBe(`DNS:${SHOP}`);
    expect(await shown("a.wild.example.com")).toBe("DNS:*.wild.example.com");
    expect(await shown("a.b.wild.example.com")).toBe("DNS:mainstay.invalid");
    expect(await shown("unknown.example.com")).toBe("DNS:mainstay.invalid");
  });

  it("serves HTTP/1.1 and tells the service that its client came over TLS", async () => {
    const answer = await askTls({
      ...{ port: worker.tlsPort, host: SHOP, path: "/x?y=1", method: "POST", body: "hello" },
      headers: { "x-forwarded-proto": "http" },
    });
    const seen = JSON.parse(answer.body.toString());
    expect(answer.status).toBe(200);
    expect(answer.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    expect(seen).toMatchObject({ method: "POST", url: "/x?y=1", body: "hello" });
    expect(seen.headers).toMatchObject({ host: SHOP, "x-forwarded-proto": "https" });
  });

  it("serves HTTP/2, and HTTP/1.1 to the instance", async () => {
    const session = openHttp2(worker.tlsPort, SHOP);
    const answers = await Promise.all([
      askHttp2(session, { ":path": "/a", ":authority": SHOP, "x-mine": "1", cookie: "c=1; d=2" }),
      askHttp2(session, { ":path": "/b", ":method": "POST", "content-length": "3" }, "abc"),
      askHttp2(session, { ":path": "/c", ":method": "PUT" }, "of unknown length"),
      askHttp2(session, { ":path": "/d", ":method": "HEAD" }),
    ]);
    session.close();
    expect(answers.map((each) => each.status)).toEqual([200, 200, 200, 200]);
    expect(answers[0]?.headers).toMatchObject({ "set-cookie": ["a=1", "b=2"], "x-reason": "yes" });
    const [a, b, c] = answers.slice(0, 3).map((each) => JSON.parse(each.body.toString()));
    expect(a).toMatchObject({ method: "GET", url: "/a", body: "" });
    expect(a.headers).toMatchObject({
      host: SHOP,
      "x-mine": "1",
      cookie: "c=1; d=2",
      "x-forwarded-proto": "https",
    });
    expect(Object.keys(a.headers).filter((name) => name.startsWith(":"))).toEqual([]);
    expect(b).toMatchObject({ method: "POST", body: "abc" });
    expect(c).toMatchObject({ method: "PUT", body: "of unknown length" });
    expect(answers[3]?.body).toHaveLength(0);
  });

  it("answers 400 where HTTP/2 names two different hosts", async () => {
    const session = openHttp2(worker.tlsPort, SHOP);
    const both = await askHttp2(session, { ":path": "/", ":authority": SHOP, host: "other.example.com" });
    const same = await askHttp2(session, { ":path": "/", ":authority": SHOP, host: SHOP });
    session.close();
    expect([both.status, same.status]).toEqual([400, 200]);
  });

  it("takes TLS 1.2 and 1.3 and nothing older", async () => {
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const socket = await handshake({ minVersion: version, maxVersion: version, servername: SHOP });
      expect(socket.getProtocol()).toBe(version);
      socket.destroy();
    }
    const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" } as const;
    await expect(handshake(old)).rejects.toThrow(/protocol version|unsupported protocol/i);
    const weak = { maxVersion: "TLSv1.2", ciphers: "AES128-SHA" } as const;
    await expect(handshake(weak)).rejects.toThrow(/handshake failure/i);
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)("resumes a %s session at another worker", async (version) => {
    const sample = { minVersion: version, maxVersion: version, servername: SHOP };
    const tickets = {
      certificates: [certificateFor(SHOP)],
      ticketKey: Buffer.alloc(48, 9).toString("base64"),
    };
    const other = await startTestWorker();
    try {
      await other.route([{ stable: upstream.arm("rel_1") }]);
      await other.https(tickets);
      await worker.https(tickets);
      const first = connect({
        host: "127.0.0.1",
        port: worker.tlsPort,
        rejectUnauthorized: false,
        ...sample,
      });
      // TLS 1.2 sends its ticket within the handshake, TLS 1.3 after it.
      const [ticket] = (await once(first, "session")) as [Buffer];
      first.destroy();
      const second = await handshake({ ...sample, port: other.tlsPort, session: ticket });
      expect(second.isSessionReused()).toBe(true);
      second.destroy();
    } finally {
      await other.stop();
    }
  });

  it("answers challenges of authorities before anything else, for any host", async () => {
    await worker.https({
      challenges: [{ token: "tok_1", answer: "tok_1.thumb" }],
      certificates: [certificateFor(SHOP)],
    });
    const path = "/.well-known/acme-challenge/";
    expect(await askPlain(SHOP, `${path}tok_1`)).toMatchObject({ status: 200, body: "tok_1.thumb" });
    expect(await askPlain("nobody.example.com", `${path}tok_1`)).toMatchObject({ body: "tok_1.thumb" });
    // What it does not know may be the service's own.
    expect((await askPlain("nobody.example.com", `${path}tok_2`)).body).toContain("tok_2");
  });

  it("sends plain requests to TLS where the host has a certificate, with method and path", async () => {
    await worker.https({
      certificates: [certificateFor(SHOP)],
      port: 8443,
      secureHosts: ["api.example.com"],
    });
    expect(await askPlain(SHOP, "/a?b=c", "POST")).toMatchObject({
      ...{ status: 308, location: `https://${SHOP}:8443/a?b=c` },
    });
    expect((await askPlain("other.example.com", "/")).status).toBe(200);
    expect(await askPlain("api.example.com:8080", "/")).toMatchObject({
      ...{ status: 308, location: "https://api.example.com:8443/" },
    });
    await worker.https({ certificates: [certificateFor(SHOP)], port: 443, redirect: false });
    expect((await askPlain(SHOP, "/")).status).toBe(200);
  });

  it("says Strict-Transport-Security where there is a certificate, over TLS alone", async () => {
    await worker.https({ certificates: [certificateFor(SHOP)], hstsSeconds: 600, redirect: false });
    const port = worker.tlsPort;
    const strict = async (host: string) =>
      (await askTls({ port, host })).headers["strict-transport-security"];
    expect(await strict(SHOP)).toBe("max-age=600");
    expect(await strict("unknown.example.com")).toBeUndefined();
    expect((await askPlain(SHOP, "/")).headers["strict-transport-security"]).toBeUndefined();
  });

  it("is not shaken by what is no TLS", async () => {
    expect(await sendRaw(worker.tlsPort, "GET / HTTP/1.1\r\nhost: x\r\n\r\n")).toBe("");
    expect((await askTls({ port: worker.tlsPort, host: SHOP })).status).toBe(200);
  });

  async function askPlain(host: string, path: string, method = "GET") {
    const sent = plainRequest({
      host: "127.0.0.1",
      port: worker.port,
      path,
      method,
      headers: { host },
    }).end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const body = Buffer.concat(await response.toArray()).toString();
    return {
      status: response.statusCode,
      location: response.headers.location,
      headers: response.headers,
      body,
    };
  }
});
