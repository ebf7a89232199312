import { join } from "node:path";
import type { Disk } from "../tsdb/disk.ts";
import type { SampleChunk } from "../wire/chunks/sample-chunks.ts";
import { BlockBytes, createFile, type FileWriter } from "./file-writer.ts";

const MAGIC = 0x85bd_40dd;
const VERSION = 1;
/** "The maximum size per segment file is 512MiB." (Prometheus, "Chunks Disk Format") */
const FILE_BYTES_MAX = 512 * 1024 ** 2;
const TWO_TO_32 = 2 ** 32;

export interface ChunkFiles {
  /** Answers where it lies: the number of the file, then the place in there. */
  add(chunk: SampleChunk): number;
  close(): void;
}

/** The directory `chunks` of a block, with files 000001, 000002 …. */
export function createChunkFiles(disk: Disk, directory: string): ChunkFiles {
  disk.mkdirSync(directory, { recursive: true });
  const bytes = new BlockBytes();
  let count = 0;
  let file: FileWriter | null = null;

  function openFile(): FileWriter {
    file?.close();
    count += 1;
    const opened = createFile(disk, join(directory, String(count).padStart(6, "0")));
    bytes.clear();
    bytes.word(MAGIC);
    bytes.byte(VERSION);
    bytes.raw(new Uint8Array(3));
    opened.write(bytes.view());
    return opened;
  }

  return {
    add(chunk) {
      if (file === null || file.position() + chunk.bytes.length > FILE_BYTES_MAX) file = openFile();
      const place = (count - 1) * TWO_TO_32 + file.position();
      bytes.clear();
      bytes.varint(chunk.bytes.length);
      const from = bytes.view().length;
      bytes.byte(chunk.encoding);
      bytes.raw(chunk.bytes);
      bytes.sum(from);
      file.write(bytes.view());
      return place;
    },
    close() {
      file?.close();
      file = null;
    },
  };
}
