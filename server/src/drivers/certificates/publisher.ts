import type { AgentClient } from "@mainstay/agent";
import type { HttpsSettings, PlatformConfig } from "@mainstay/api";
import type { Held } from "./issued-certificates.ts";

export interface PublisherDependencies {
  agent: Pick<AgentClient, "putHttps">;
  config: Pick<PlatformConfig, "proxy" | "server">;
}

/** Brings certificates to the agent, when they or the agent are others than before. */
export function createPublisher({ agent, config }: PublisherDependencies) {
  const { tls } = config.proxy;
  let published = "";

  return {
    /** Later certificates go before earlier ones for the same host. Throws AGENT_UNREACHABLE. */
    async publish(certificates: readonly Held[], bootId: string): Promise<void> {
      const settings: HttpsSettings = {
        certificates: certificates.map(({ hosts, chain, key }) => ({ hosts, cert: chain, key })),
        port: tls.port ?? 0,
        redirect: tls.redirect,
        secureHosts: config.server.publicHost === null ? [] : [config.server.publicHost],
        hstsSeconds: Math.floor(tls.hsts / 1000),
      };
      const text = JSON.stringify([bootId, settings]);
      if (text === published) return;
      await agent.putHttps(settings);
      published = text;
    },
  };
}
