export { addHistograms } from "./add-histograms.ts";
export { createMemoryStorage, type MemoryStorage, toSeries, type WrittenSample } from "./memory-storage.ts";
export { parseSeconds } from "./parse-seconds.ts";
export { withResetHints } from "./reset-hints.ts";
export { readXorChunk } from "./read-xor-chunk.ts";
export { encodeXorChunk } from "../wire/chunks/xor-chunk.ts";
