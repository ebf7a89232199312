export * from "./proto-reader.ts";
export * from "./proto-writer.ts";
