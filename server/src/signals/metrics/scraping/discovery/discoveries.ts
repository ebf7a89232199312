import { readdir, readFile, stat } from "node:fs/promises";
import { Resolver } from "node:dns/promises";
import type { ScrapeJob } from "../scrape-job.ts";
import type { Discovery } from "./discovery.ts";
import { createDnsDiscovery, type DnsResolver } from "./dns-discovery.ts";
import { createFileDiscovery, type DiscoveryFiles } from "./file-discovery.ts";

const DNS_TIMEOUT_MS = 2_000;
const DNS_TRIES = 2;

const FILES: DiscoveryFiles = {
  readdir: (directory) => readdir(directory),
  readFile: (file) => readFile(file, "utf8"),
  async stamp(file) {
    const { mtimeMs, size, ino } = await stat(file);
    return `${ino} ${mtimeMs} ${size}`;
  },
};

/** What looks for the targets of a job, on this machine's disk and with its name servers. */
export function discoveriesOf(job: ScrapeJob, nameServers?: readonly string[]): Discovery[] {
  return [
    ...job.files.map((config) => createFileDiscovery(config, FILES)),
    ...job.dns.map((config) => createDnsDiscovery(config, createResolver(nameServers))),
  ];
}

function createResolver(nameServers: readonly string[] | undefined): DnsResolver {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: DNS_TRIES });
  if (nameServers) resolver.setServers(nameServers);
  return resolver;
}
