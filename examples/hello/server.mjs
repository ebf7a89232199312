/** The smallest service worth deploying: GET / greets, PUT /name says whom, SIGTERM stops it in order. */
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";

/** Stands for the query or the call that a real service waits for. */
const WORK_MS = 5;
const MAX_NAME_BYTES = 100;
/** Longer than any proxy keeps an idle connection, so that the proxy is the one to close it. */
const KEEP_ALIVE_MS = 60_000;

let name = "world";

async function answer(request, response) {
  const route = `${request.method} ${request.url}`;
  if (route === "GET /healthz") return response.end("ok\n");
  await wait(WORK_MS);
  if (route === "GET /") return response.end(`Hello, ${name}!\n`);
  if (route !== "PUT /name") return response.writeHead(404).end("not found\n");

  if (Number(request.headers["content-length"] ?? Infinity) > MAX_NAME_BYTES)
    return response.writeHead(413, { connection: "close" }).end(`at most ${MAX_NAME_BYTES} bytes\n`);
  name = (await buffer(request)).toString();
  return response.writeHead(204).end();
}

const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
  // A client that goes away in the middle of its request ends that request, not the service.
  answer(request, response).catch(() => response.destroy());
});
server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
process.once("SIGTERM", () => server.close());
