/** Bytes of the longest frame header: two, a 64-bit length, a mask (RFC 6455, section 5.2). */
const HEADER_BYTES = 14;
const OPCODE_CLOSE = 8;

export interface FrameFollower {
  /** Takes note of bytes that pass; answers where in them the first frame ends, -1 when none does. */
  follow(chunk: Buffer): number;
  /** Only between two frames may another one be put in (RFC 6455, section 5.4: even inside a message). */
  isBetweenFrames(): boolean;
  /** After a close frame nothing may follow (section 5.5.1). */
  hasSeenClose(): boolean;
}

/** Follows the frames of one direction of a WebSocket without holding or altering a byte of them. */
export function createFrameFollower(): FrameFollower {
  const header = Buffer.alloc(HEADER_BYTES);
  let headerBytes = 0;
  let payloadLeft = 0;
  let isClosed = false;

  /** Takes one byte of a header; true when that was the whole frame, because it has no payload. */
  function takeHeaderByte(byte: number): boolean {
    header[headerBytes] = byte;
    headerBytes += 1;
    if (headerBytes < headerSize(header, headerBytes)) return false;
    isClosed ||= (header.readUInt8(0) & 0x0f) === OPCODE_CLOSE;
    payloadLeft = payloadSize(header);
    headerBytes = 0;
    return payloadLeft === 0;
  }

  return {
    follow(chunk) {
      let firstEnd = -1;
      for (let at = 0; at < chunk.length;) {
        let hasEnded = false;
        if (payloadLeft === 0) {
          hasEnded = takeHeaderByte(chunk.readUInt8(at));
          at += 1;
        } else {
          const taken = Math.min(payloadLeft, chunk.length - at);
          payloadLeft -= taken;
          at += taken;
          hasEnded = payloadLeft === 0;
        }
        if (hasEnded && firstEnd < 0) firstEnd = at;
      }
      return firstEnd;
    },
    isBetweenFrames: () => headerBytes === 0 && payloadLeft === 0,
    hasSeenClose: () => isClosed,
  };
}

/** An unmasked close frame with a code and its words, as a server sends it (section 5.5.1). */
export function closeFrame(code: number, reason: string): Buffer {
  const words = Buffer.from(reason);
  const frame = Buffer.alloc(4 + words.length);
  frame.writeUInt8(0x80 | OPCODE_CLOSE, 0);
  frame.writeUInt8(2 + words.length, 1);
  frame.writeUInt16BE(code, 2);
  words.copy(frame, 4);
  return frame;
}

/** How long a header is, as far as its first bytes tell. */
function headerSize(header: Buffer, known: number): number {
  if (known < 2) return 2;
  const second = header.readUInt8(1);
  const length = second & 0x7f;
  const extended = length === 126 ? 2 : length === 127 ? 8 : 0;
  return 2 + extended + (second & 0x80 ? 4 : 0);
}

function payloadSize(header: Buffer): number {
  const length = header.readUInt8(1) & 0x7f;
  if (length === 126) return header.readUInt16BE(2);
  return length === 127 ? Number(header.readBigUInt64BE(2)) : length;
}
