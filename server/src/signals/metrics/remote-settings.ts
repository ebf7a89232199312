import type { RemoteWriteConfig } from "@mainstay/api";
import { configuredAccess, type Env } from "./connection/configured-access.ts";
import type { RemoteSettings } from "./thread/sending/remote-settings.ts";

/** How one receiver is sent to, by the configuration. */
export function remoteSettings(remote: RemoteWriteConfig, env: Env): RemoteSettings {
  const { queueConfig: queue } = remote;
  return {
    ...{ name: remote.name, url: remote.url, protocol: remote.protocol, timeoutMs: remote.remoteTimeout },
    access: configuredAccess(remote, env),
    relabelRules: remote.writeRelabelConfigs,
    sendsExemplars: remote.sendExemplars,
    sendsNativeHistograms: remote.sendNativeHistograms,
    samplesPerSend: queue.maxSamplesPerSend,
    deadlineMs: queue.batchSendDeadline,
    backoffMs: { min: queue.minBackoff, max: queue.maxBackoff },
    sampleAgeMs: queue.sampleAgeLimit,
    backlogBytes: queue.maxBacklog,
  };
}
