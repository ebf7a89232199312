/** What a container wrote to one of its streams, with the engine's time of it. */
export interface LogFrame {
  stream: 1 | 2;
  at: string;
  bytes: Buffer;
}

const HEAD_BYTES = 8;

/**
 * Takes the frames out of an engine's log stream: a byte that names the stream (1 stdout, 2 stderr), three
 * zeros, the length in four bytes, big end first; then the time, a space, and what was written
 * (https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach).
 */
export function createFrameReader(): (chunk: Buffer) => LogFrame[] {
  let rest: Buffer = Buffer.alloc(0);

  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const frames: LogFrame[] = [];
    while (rest.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + rest.readUInt32BE(4);
      if (rest.length < end) break;
      const text = rest.subarray(HEAD_BYTES, end);
      const space = text.indexOf(0x20);
      frames.push({
        stream: rest[0] === 2 ? 2 : 1,
        at: text.toString("latin1", 0, Math.max(0, space)),
        bytes: text.subarray(space + 1),
      });
      rest = rest.subarray(end);
    }
    return frames;
  };
}
