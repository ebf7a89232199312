import { chmodSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { ParentError } from "./parent-options.ts";

/**
 * `parent.sock`: proves that this runtime directory is taken, and answers GET /v1/status.
 * Written on node:net, because node:http would add 10 MB to a process that otherwise needs 20.
 */
export async function serveStatus(path: string, status: () => unknown): Promise<Server> {
  if (await isAnswered(path)) {
    throw new ParentError("ALREADY_RUNNING", `another Mainstay runs on ${path}`, { path });
  }
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", (head) => socket.end(answer(head.toString("latin1"), status)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return server;
}

function answer(head: string, status: () => unknown): string {
  const isKnown = head.startsWith("GET /v1/status ");
  const body = JSON.stringify(isKnown ? status() : { type: "about:blank", status: 404, title: "Not found" });
  const line = isKnown ? "200 OK" : "404 Not Found";
  const length = Buffer.byteLength(body);
  return `HTTP/1.1 ${line}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n${body}`;
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
