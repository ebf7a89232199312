import { fileURLToPath } from "node:url";

export { createAgentClient, type AgentClient } from "./client.ts";
export { SMALL_YOUNG_GENERATION } from "./parent/describe-children.ts";
export { ParentError, type ParentOptions } from "./parent/parent-options.ts";
export { startParent, type Parent, type ParentStatus } from "./parent/start-parent.ts";
export { trustedKeysFile, type TrustedKeys } from "./supervisor/call-guard.ts";
export { assignBucket } from "./proxy/assignment.ts";
export { LATENCY_BOUNDS_MS } from "./proxy/latency-bounds.ts";
export { compileAhead, endIfCompiling } from "./system/compile-ahead.ts";

const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";

/** The parent's entry: run it with node; its options are in MAINSTAY_PARENT or its one JSON argument. */
export const PARENT_ENTRY = entry("parent");

/** Of the parent and of everything it starts itself. */
export const ENTRIES = [PARENT_ENTRY, entry("proxy"), entry("agent"), entry("haproxy")];

function entry(name: string): string {
  return fileURLToPath(new URL(`./${name}-main.${extension}`, import.meta.url));
}
