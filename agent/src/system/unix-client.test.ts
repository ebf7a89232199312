import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createTemporaryDirectory } from "../../../tests/support/temporary.ts";
import { createUnixClient } from "./unix-client.ts";

const ANSWER = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ntrue";

/** Answers the first request of each connection, and hangs up at the second one without a word. */
async function serveOncePerConnection(): Promise<{ path: string; connections(): number }> {
  const home = createTemporaryDirectory();
  const path = join(home.path, "test.sock");
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let requests = 0;
    socket.on("error", () => {});
    socket.on("data", () => (++requests === 1 ? socket.write(ANSWER) : socket.destroy()));
  });
  server.listen(path);
  await once(server, "listening");
  onTestFinished(() => {
    for (const each of sockets) each.destroy();
    server.close();
    home.remove();
  });
  return { path, connections: () => sockets.size };
}

test("a call over a connection that the other side closed while it was idle is made once more", async () => {
  const { path, connections } = await serveOncePerConnection();
  const client = createUnixClient(path);
  onTestFinished(client.close);
  expect(await client.call("GET", "/")).toEqual({ status: 200, body: true });
  // Only a connection that has come back to the pool is taken again.
  await new Promise(setImmediate);
  expect(await client.call("PUT", "/", { body: { a: 1 } })).toEqual({ status: 200, body: true });
  expect(connections()).toBe(2);
});

test("a call to nobody fails at once", async () => {
  const client = createUnixClient("/nowhere/test.sock");
  onTestFinished(client.close);
  await expect(client.call("GET", "/")).rejects.toThrow("ENOENT");
});
