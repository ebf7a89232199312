/**
 * Put before the server of examples/hello by the end-to-end tests: `node --import ./traced.mjs server.mjs`.
 * Every answer says which release gave it; the server's own code stays as it is.
 *
 *   GET /wait?ms=500   is answered after that time
 *   GET /variable?X    answers whether the variable X is set, and how long its value is
 *   GET /log?words     writes the words to standard output
 *   GET /metrics       tells how many answers it gave, in the text format of Prometheus
 *   GET /socket        speaks WebSocket, see socket.mjs
 *   STUBBORN=1         goes on running after SIGTERM, until it is killed
 */
import { Server } from "node:http";
import { serveSockets } from "./socket.mjs";

const HOUR_MS = 3_600_000;

if (process.env.STUBBORN === "1") setInterval(() => {}, HOUR_MS);
process.stdout.write(`release ${process.env.MAINSTAY_RELEASE} begins\n`);

serveSockets(Server);

let answers = 0;
const emit = Server.prototype.emit;
Server.prototype.emit = function emitWithTraces(event, ...args) {
  if (event !== "request") return emit.call(this, event, ...args);
  const [request, response] = args;
  response.setHeader("x-mainstay-release", process.env.MAINSTAY_RELEASE ?? "none");
  const { pathname, search, searchParams } = new URL(request.url, "http://hello");
  if (pathname === "/wait") {
    setTimeout(() => response.end("waited\n"), Number(searchParams.get("ms")));
    return true;
  }
  if (pathname === "/metrics") {
    response.setHeader("content-type", "text/plain; version=0.0.4");
    response.end(`# TYPE app_answers_total counter\napp_answers_total ${answers}\n`);
    return true;
  }
  answers += 1;
  if (pathname === "/log") {
    process.stdout.write(`${search.slice(1)}\n`);
    response.end("logged\n");
    return true;
  }
  if (pathname === "/variable") {
    const value = process.env[search.slice(1)];
    response.end(value === undefined ? "not set\n" : `set, ${value.length} characters\n`);
    return true;
  }
  return emit.call(this, event, ...args);
};
