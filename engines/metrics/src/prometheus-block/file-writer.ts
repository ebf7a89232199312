import { crc32c } from "../wire/chunks/crc32c.ts";
import { writeAll, type Disk } from "../tsdb/disk.ts";

const BUFFER_BYTES = 1024 * 1024;
const ENCODER = new TextEncoder();

/** A new file that is written from its beginning to its end. */
export interface FileWriter {
  /** How many bytes were written. */
  position(): number;
  write(bytes: Uint8Array): void;
  /** Zeroes up to the next multiple. */
  align(multiple: number): void;
  /** Makes it outlive a power cut. */
  close(): void;
}

export function createFile(disk: Disk, path: string): FileWriter {
  const fd = disk.openSync(path, "wx");
  const buffer = new Uint8Array(BUFFER_BYTES);
  let buffered = 0;
  let flushed = 0;

  function flush(): void {
    writeAll(disk, fd, { bytes: buffer.subarray(0, buffered), position: flushed });
    flushed += buffered;
    buffered = 0;
  }

  function write(bytes: Uint8Array): void {
    if (buffered + bytes.length > BUFFER_BYTES) flush();
    if (bytes.length > BUFFER_BYTES) {
      writeAll(disk, fd, { bytes, position: flushed });
      flushed += bytes.length;
      return;
    }
    buffer.set(bytes, buffered);
    buffered += bytes.length;
  }

  return {
    position: () => flushed + buffered,
    write,
    align: (multiple) => write(new Uint8Array((multiple - ((flushed + buffered) % multiple)) % multiple)),
    close() {
      flush();
      disk.fsyncSync(fd);
      disk.closeSync(fd);
    },
  };
}

/** Bytes as the files of a block have them: numbers with the highest byte first, and varints. */
export class BlockBytes {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** A view that the next write may alter. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  word(value: number): void {
    this.#reserve(4);
    new DataView(this.#bytes.buffer).setUint32(this.#length, value);
    this.#length += 4;
  }

  wide(value: number): void {
    this.word(Math.floor(value / 2 ** 32));
    this.word(value % 2 ** 32);
  }

  varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.byte((rest % 128) | 0x80);
    this.byte(rest);
  }

  zigzag(value: number): void {
    this.varint(value >= 0 ? 2 * value : -2 * value - 1);
  }

  /** Its length in bytes, then UTF-8. */
  text(value: string): void {
    const bytes = ENCODER.encode(value);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** The sum of what was written from there on. */
  sum(from = 0): void {
    this.word(crc32c(this.#bytes.subarray(from, this.#length)));
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#length + count, this.#bytes.length * 2));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
