import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** The application of the integration tests; behaves as its environment and the requested path say. */
const health = process.env["HEALTH"] ?? "200";
const failEvery = Number(process.env["FAIL_EVERY"] ?? 0);
let served = 0;

const server = createServer((request, response) => void answer(request, response));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://app");
  if (url.pathname === "/healthz") return void response.writeHead(Number(health)).end();
  served += 1;
  response.setHeader("x-release", process.env["MAINSTAY_RELEASE"] ?? "");
  response.setHeader("x-pid", String(process.pid));
  if (failEvery > 0 && served % failEvery === 0) return void response.writeHead(500).end("failed");
  if (url.pathname === "/exit") process.exit(3);
  if (url.pathname === "/env") return void response.end(JSON.stringify(process.env));
  if (url.pathname === "/echo") {
    response.setHeader("x-echo", JSON.stringify(request.rawHeaders));
    return void request.pipe(response);
  }
  if (url.pathname === "/slow") await sleep(Number(url.searchParams.get("ms")));
  response.end(`${request.method} ${request.url}`);
}

server.listen(Number(process.env["PORT"]), "127.0.0.1", () => process.stdout.write("listening\n"));
process.on("SIGTERM", () => {
  process.stdout.write("SIGTERM\n");
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
