import type { DnsDiscovery, TargetGroup } from "../scrape-job.ts";
import type { Discovery } from "./discovery.ts";

/** As much of `node:dns/promises`' Resolver as is asked. */
export interface DnsResolver {
  resolve4(name: string): Promise<string[]>;
  resolve6(name: string): Promise<string[]>;
  resolveSrv(name: string): Promise<{ name: string; port: number }[]>;
  resolveMx(name: string): Promise<{ exchange: string }[]>;
  resolveNs(name: string): Promise<string[]>;
}

/** There is no such name, or it has no such records: an answer like any other. */
const NOTHING_THERE = new Set(["ENOTFOUND", "ENODATA"]);

/** `dns_sd_configs`: a name that cannot be asked about keeps its targets. */
export function createDnsDiscovery(config: DnsDiscovery, resolver: DnsResolver): Discovery {
  const known = new Map<string, TargetGroup[]>();

  async function lookUp(name: string): Promise<string | null> {
    try {
      known.set(name, await find(name, config, resolver));
      return null;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
      if (NOTHING_THERE.has(code)) known.set(name, []);
      else return `${config.type} of ${name}: ${code}`;
      return null;
    }
  }

  return {
    refreshMs: config.refreshMs,
    async look() {
      const outcomes = await Promise.all(config.names.map(lookUp));
      const groups = config.names.flatMap((name) => known.get(name) ?? []);
      return { groups, problems: outcomes.filter((each) => each !== null) };
    },
  };
}

async function find(name: string, config: DnsDiscovery, resolver: DnsResolver): Promise<TargetGroup[]> {
  const port = config.port ?? 0;
  const group = (host: string, hostPort: number, labels: Record<string, string> = {}): TargetGroup => ({
    targets: [`${host.includes(":") ? `[${host}]` : host}:${hostPort}`],
    labels: { __meta_dns_name: name, ...labels },
  });
  switch (config.type) {
    case "A":
      return (await resolver.resolve4(name)).map((address) => group(address, port));
    case "AAAA":
      return (await resolver.resolve6(name)).map((address) => group(address, port));
    case "NS":
      return (await resolver.resolveNs(name)).map((host) =>
        group(bare(host), port, { __meta_dns_ns_record_target: host }),
      );
    case "MX":
      return (await resolver.resolveMx(name)).map(({ exchange }) =>
        group(bare(exchange), port, { __meta_dns_mx_record_target: exchange }),
      );
    case "SRV":
      return (await resolver.resolveSrv(name)).map(({ name: host, port: own }) =>
        group(bare(host), own, {
          __meta_dns_srv_record_target: host,
          __meta_dns_srv_record_port: String(own),
        }),
      );
  }
}

/** Names in records end in a point, which no certificate and no virtual host has. */
function bare(host: string): string {
  return host.replace(/\.$/, "");
}
