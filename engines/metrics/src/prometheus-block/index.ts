export {
  createBlockWriter,
  type BlockWriter,
  type BlockWriterOptions,
  type WrittenBlock,
} from "./block-writer.ts";
