import { formatDuration } from "@mainstay/api";
import { parse, stringify } from "yaml";

export interface ConfigTextOptions {
  /** Of what is scraped by itself. */
  intervalMs: number;
  ruleFiles: readonly string[];
  /** The file of scrapes that is in force; null without one. */
  scrapeText: string | null;
}

/** Keys whose values are secrets (Prometheus' configuration, `<secret>`). */
const SECRETS = new Set(["password", "credentials", "key"]);

/**
 * What is in force in the form of Prometheus' configuration file, its secrets left out as Prometheus does.
 */
export function configText({ intervalMs, ruleFiles, scrapeText }: ConfigTextOptions): string {
  const written: unknown = scrapeText === null ? {} : parse(scrapeText, mask);
  const own = { global: { scrape_interval: formatDuration(intervalMs) }, rule_files: ruleFiles };
  return stringify({ ...own, ...(written !== null && typeof written === "object" ? written : {}) });
}

function mask(key: unknown, value: unknown): unknown {
  return typeof key === "string" && SECRETS.has(key) ? "<secret>" : value;
}
