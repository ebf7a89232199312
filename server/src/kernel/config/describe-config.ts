import { MASK, maskSecrets } from "../redact.ts";
import { PLATFORM_KEYS } from "./keys.ts";
import type { LoadedConfig } from "./load-config.ts";

export interface ConfigRow {
  path: string;
  /** As it would be written in the file; secrets masked. */
  value: string;
  /** The file, the variable or the flag; or "default". */
  source: string;
}

/** The configuration for people: each key with its value and where that came from. */
export function describeConfig({ config, sources, written }: LoadedConfig): ConfigRow[] {
  return PLATFORM_KEYS.map(({ path, isSecret }) => ({
    path,
    value: showValue(path === "dataDirectory" ? config.dataDirectory : written[path], isSecret),
    source: sources[path]?.name ?? "default",
  }));
}

function showValue(value: unknown, isSecret: boolean): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  if (!isSecret || value === null) return text;
  // What does not parse as a URL could hold its password
  // anywhere; the path of one for HTTP may be the secret.
  if (!URL.canParse(text)) return MASK;
  return /^https?:/.test(text) ? `${new URL(text).origin}/${MASK}` : maskSecrets(text);
}
