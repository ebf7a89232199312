import { formatDuration } from "@mainstay/api";
import { parse, stringify } from "yaml";

export interface ConfigTextOptions {
  /** Of what is scraped by itself. */
  intervalMs: number;
  ruleFiles: readonly string[];
  /** The file of scrapes that is in force; null without one. */
  scrapeText: string | null;
  /** Where samples are sent on to. */
  remoteWrites: readonly { name: string; url: string; remoteTimeout: number }[];
}

/** Keys whose values are secrets (Prometheus' configuration, `<secret>`). */
const SECRETS = new Set(["password", "credentials", "key"]);

/**
 * What is in force in the form of Prometheus' configuration file, its secrets left out as Prometheus does.
 */
export function configText({ intervalMs, ruleFiles, scrapeText, remoteWrites }: ConfigTextOptions): string {
  const written: unknown = scrapeText === null ? {} : parse(scrapeText, mask);
  const own = { global: { scrape_interval: formatDuration(intervalMs) }, rule_files: ruleFiles };
  const sent = remoteWrites.length === 0 ? {} : { remote_write: remoteWrites.map(writtenRemote) };
  return stringify({ ...own, ...(written !== null && typeof written === "object" ? written : {}), ...sent });
}

/** What stands in a URL behind its path may be secret. */
function writtenRemote({ name, url, remoteTimeout }: ConfigTextOptions["remoteWrites"][number]) {
  const { origin, pathname } = new URL(url);
  return { name, url: `${origin}${pathname}`, remote_timeout: formatDuration(remoteTimeout) };
}

function mask(key: unknown, value: unknown): unknown {
  return typeof key === "string" && SECRETS.has(key) ? "<secret>" : value;
}
