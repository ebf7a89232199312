/**
 * Makes a good release bad, for trying out what happens then: `node --import ./faults.mjs server.mjs`.
 * The server's code stays as it is; its answers are altered where node:http hands it a request.
 *
 *   FAULT_ERRORS=5%          that share of the requests is answered 500
 *   FAULT_LATENCY=3x         every answer takes three times as long as the server needs for it
 *   FAULT_LEAK_FILES=1       every request leaves a file open that nobody closes
 *   FAULT_CRASH_AFTER=300ms  the process exits with code 1 so long after its start
 *   FAULT_NEVER_HEALTHY=1    the health path answers 503
 *   FAULT_HEALTH_PATH=/ping  spared by the first three (default /healthz)
 */
import { openSync } from "node:fs";
import { Server } from "node:http";
import { devNull } from "node:os";

/**
 * Timers count whole milliseconds. An answer that took less is taken to have needed one, so that it is held
 * back too; it then takes more than the factor says.
 */
const TIMER_RESOLUTION_MS = 1;

const healthPath = process.env.FAULT_HEALTH_PATH ?? "/healthz";
const errorShare = readFault("FAULT_ERRORS", /^(\d+(?:\.\d+)?)%$/, "5%") / 100;
const latencyFactor = readFault("FAULT_LATENCY", /^(\d+(?:\.\d+)?)x$/, "3x");
const leaksFiles = readFault("FAULT_LEAK_FILES", /^([01])$/, "1") === 1;
const crashAfterMs = readFault("FAULT_CRASH_AFTER", /^(\d+)ms$/, "300ms");
const isNeverHealthy = readFault("FAULT_NEVER_HEALTHY", /^([01])$/, "1") === 1;

/** The number in a variable, 0 when it is not set. */
function readFault(variable, pattern, example) {
  const text = process.env[variable];
  if (text === undefined) return 0;
  const match = pattern.exec(text);
  if (!match) throw new Error(`${variable} is "${text}"; expected something like "${example}"`);
  return Number(match[1]);
}

if (crashAfterMs > 0) setTimeout(() => process.exit(1), crashAfterMs);

const emit = Server.prototype.emit;
Server.prototype.emit = function emitWithFaults(event, ...args) {
  if (event !== "request") return emit.call(this, event, ...args);
  const [request, response] = args;
  const isHealth = request.url.split("?", 1)[0] === healthPath;
  if (isHealth && isNeverHealthy) return refuse(request, response, 503);
  if (!isHealth && Math.random() < errorShare) return refuse(request, response, 500);
  if (!isHealth && latencyFactor > 1) holdBack(response);
  if (!isHealth && leaksFiles) openSync(devNull);
  return emit.call(this, event, ...args);
};

function refuse(request, response, status) {
  request.resume();
  response.writeHead(status, { "content-type": "text/plain" }).end("injected fault\n");
  return true;
}

/** Keeps what the server writes until the time it took to begin its answer has passed so many times. */
function holdBack(response) {
  const startedAtMs = performance.now();
  const held = [];
  let state = "waiting";

  const release = () => {
    state = "released";
    for (const write of held) write();
  };
  const hold = (write) => {
    held.push(write);
    if (state === "holding") return;
    state = "holding";
    const tookMs = Math.max(performance.now() - startedAtMs, TIMER_RESOLUTION_MS);
    setTimeout(release, Math.round(tookMs * (latencyFactor - 1)));
  };

  // Middleware may have kept these functions, so they stay in place and pass everything on once released.
  for (const method of ["flushHeaders", "write", "end"]) {
    const original = response[method];
    response[method] = (...args) => {
      if (state === "released") return original.apply(response, args);
      hold(() => original.apply(response, args));
      return method === "write" ? true : response;
    };
  }
}
