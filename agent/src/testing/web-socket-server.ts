import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** RFC 6455, section 1.3. */
const KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const OPCODE_CLOSE = 8;

export interface Frame {
  opcode: number;
  payload: Buffer;
}

/** Answers the handshake of a WebSocket and hands over every frame the client sends, whole and unmasked. */
export function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  onFrame: (frame: Frame) => void,
): void {
  const key = request.headers["sec-websocket-key"] ?? "";
  const accept = createHash("sha1")
    .update(key + KEY_SUFFIX)
    .digest("base64");
  const protocol = request.headers["sec-websocket-protocol"];
  const chosen = protocol === undefined ? "" : `Sec-WebSocket-Protocol: ${protocol}\r\n`;
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${chosen}` +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let received: Buffer = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("end", () => socket.end());
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    for (let size = sizeOf(received); size <= received.length; size = sizeOf(received)) {
      onFrame(readFrame(received.subarray(0, size)));
      received = received.subarray(size);
    }
  });
}

/** Sends back what comes, and ends with the client. */
export function echoWebSocket(request: IncomingMessage, socket: Duplex): void {
  acceptWebSocket(request, socket, (frame) => {
    socket.write(writeFrame(frame));
    if (frame.opcode === OPCODE_CLOSE) socket.end();
  });
}

/** An unmasked frame, as servers send them (section 5.2). */
export function writeFrame({ opcode, payload }: Frame): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head.writeUInt8(0x80 | opcode, 0);
  head.writeUInt8(length < 126 ? length : length < 65_536 ? 126 : 127, 1);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

/** The size of the first frame of what a client sent; Infinity while that is not known. */
function sizeOf(bytes: Buffer): number {
  const head = headOf(bytes);
  return head ? head.start + head.length : Infinity;
}

function headOf(bytes: Buffer): { start: number; length: number } | null {
  if (bytes.length < 2) return null;
  const short = bytes.readUInt8(1) & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + extended + 4;
  if (bytes.length < start) return null;
  if (extended === 0) return { start, length: short };
  return { start, length: extended === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2)) };
}

function readFrame(bytes: Buffer): Frame {
  const start = headOf(bytes)?.start ?? 0;
  const mask = bytes.subarray(start - 4, start);
  const payload = Buffer.from(bytes.subarray(start)).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return { opcode: bytes.readUInt8(0) & 0x0f, payload: Buffer.from(payload) };
}
