export * from "./agent-protocol.ts";
export * from "./errors.ts";
export * from "./service-file.ts";
export * from "./units.ts";
export * from "./words.ts";
