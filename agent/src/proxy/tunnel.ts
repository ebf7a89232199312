import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { answeredHeaders } from "./headers.ts";
import { closeFrame, createFrameFollower } from "./websocket-frames.ts";

/** RFC 6455, section 7.4.1: "going away, such as a server going down". */
const GOING_AWAY = 1001;
/** How long the closing handshake may take before both connections are cut. */
const HANDSHAKE_MS = 2000;

export interface Tunnel {
  /** Ends it in the protocol's own words: a WebSocket's client gets a close frame with the code 1001. */
  goAway(): void;
  isWebSocket: boolean;
}

interface TunnelOptions {
  client: Socket;
  instance: Duplex;
  isWebSocket: boolean;
}

interface AcceptedUpgrade {
  request: IncomingMessage;
  response: ServerResponse;
  instance: Duplex;
  /** Of the instance's answer with 101. */
  headers: IncomingHttpHeaders;
  setCookie: string | null;
}

/** Tells the client that the instance has changed the protocol, and joins both. */
export function acceptUpgrade(upgrade: AcceptedUpgrade): Tunnel {
  const { request, response, instance, headers, setCookie } = upgrade;
  const client = request.socket;
  const protocol = headers.upgrade ?? request.headers.upgrade ?? "";
  const lines = [...answeredHeaders(headers), "connection", "upgrade", "upgrade", protocol];
  if (setCookie !== null) lines.push("set-cookie", setCookie);
  const head = lines.map((each, index) => (index % 2 === 0 ? `${each}: ` : `${each}\r\n`));
  response.detachSocket(client);
  client.write(`HTTP/1.1 101 Switching Protocols\r\n${head.join("")}\r\n`, "latin1");
  return openTunnel({ client, instance, isWebSocket: protocol.toLowerCase() === "websocket" });
}

/** Joins two connections: what one says the other hears, at the pace of the slower one. */
function openTunnel({ client, instance, isWebSocket }: TunnelOptions): Tunnel {
  const frames = isWebSocket ? createFrameFollower() : null;
  let isLeaving = false;
  let hasLeft = false;
  let limit: NodeJS.Timeout | null = null;

  join(client, instance, (chunk) => pass(instance, client, chunk));
  join(instance, client, (chunk) => {
    const end = frames?.follow(chunk) ?? -1;
    if (hasLeft) return;
    const isLast = isLeaving && end >= 0;
    pass(client, instance, isLast ? chunk.subarray(0, end) : chunk);
    if (isLast) sayGoodbye();
  });

  /** The client answers with a close frame of its own, which the instance gets and ends the connection on. */
  function sayGoodbye(): void {
    hasLeft = true;
    client.write(closeFrame(GOING_AWAY, "the service is being replaced"));
  }

  function cut(): void {
    if (limit) clearTimeout(limit);
    client.destroy();
    instance.destroy();
  }

  return {
    isWebSocket,
    goAway() {
      if (isLeaving || client.destroyed) return;
      isLeaving = true;
      limit = setTimeout(cut, HANDSHAKE_MS);
      client.once("close", cut);
      if (!frames) client.end();
      else if (frames.isBetweenFrames() && !frames.hasSeenClose()) sayGoodbye();
    },
  };
}

/** One direction; the end of one side is the end of the other's input, its failure the end of both. */
function join(from: Duplex, to: Duplex, onData: (chunk: Buffer) => void): void {
  from.on("data", onData);
  from.on("end", () => to.end());
  from.on("error", () => to.destroy());
  from.on("close", () => (from.readableEnded ? finish(to) : to.destroy()));
}

/** Closes when everything written has left. */
function finish(stream: Duplex): void {
  if (stream.writableFinished) return void stream.destroy();
  stream.once("finish", () => stream.destroy());
  stream.end();
}

function pass(to: Duplex, from: Duplex, chunk: Buffer): void {
  if (!to.writable || to.write(chunk)) return;
  from.pause();
  to.once("drain", () => from.resume());
}
