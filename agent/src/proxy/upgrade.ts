import { ServerResponse, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { answerUnderWay } from "./connection.ts";
import { hasBody } from "./problem.ts";
import { serve, type HandlerContext } from "./request-handler.ts";

const ONE_PROTOCOL = /^[\w!#$%&'*+.^`|~/-]+$/;

/**
 * Whether a request changes the protocol of its connection; if not, it is served as if it had not asked (RFC
 * 9110, section 7.8). Never to HTTP/2: what follows in it would pass this proxy unseen. Nor while an earlier
 * answer is under way on the connection, which would be garbled.
 */
export function mayUpgrade(request: IncomingMessage): boolean {
  const { method, headers, httpVersionMinor, socket } = request;
  if (method !== "GET" || httpVersionMinor === 0 || hasBody(request) || answerUnderWay(socket)) return false;
  const protocol = headers.upgrade?.toLowerCase() ?? "";
  const isHttp = protocol.startsWith("h2") || protocol.startsWith("http");
  return ONE_PROTOCOL.test(protocol) && !isHttp;
}

/**
 * What a worker does with a request that changes its connection's protocol: as with any, until the answer.
 */
export function createUpgradeHandler(context: HandlerContext) {
  return (request: IncomingMessage, client: Duplex, head: Buffer): void => {
    client.on("error", () => client.destroy());
    if (head.length > 0) client.unshift(head);
    const { socket } = request;
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    // The answer, if the instance does not change the protocol; nobody else looks after it here.
    socket.on("drain", () => response.emit("drain"));
    response.once("finish", () => socket.destroySoon());
    serve(context, { request, response, closing: socket, upgrade: request.headers.upgrade ?? null });
  };
}
