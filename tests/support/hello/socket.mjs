/**
 * A WebSocket for examples/hello, loaded by traced.mjs: GET /socket answers every short message with the
 * release that runs, and a close frame with a close frame.
 */
import { createHash } from "node:crypto";

/** RFC 6455, section 1.3. */
const KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const CLOSE = 0x88;
const TEXT = 0x81;

/** From now on every server of the class that listens does. */
export function serveSockets(Server) {
  const { listen } = Server.prototype;
  Server.prototype.listen = function listenForSockets(...args) {
    this.on("upgrade", accept);
    return listen.apply(this, args);
  };
}

function accept(request, socket) {
  const key = request.headers["sec-websocket-key"] + KEY_SUFFIX;
  const answer = createHash("sha1").update(key).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${answer}\r\n\r\n`,
  );
  socket.on("error", () => socket.destroy());
  socket.on("end", () => socket.end());
  // What a test sends is short and arrives frame by frame.
  socket.on("data", (frame) => {
    if (frame[0] === CLOSE) return socket.end(Buffer.from([CLOSE, 0]));
    const release = Buffer.from(process.env.MAINSTAY_RELEASE ?? "none");
    socket.write(Buffer.concat([Buffer.from([TEXT, release.length]), release]));
  });
}
