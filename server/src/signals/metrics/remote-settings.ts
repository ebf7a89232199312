import type { RemoteWriteConfig, SecretSource } from "@mainstay/api";
import type { Secret } from "./scraping/access.ts";
import type { RemoteSettings } from "./thread/sending/remote-settings.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** How one receiver is sent to, by the configuration. */
export function remoteSettings(remote: RemoteWriteConfig, env: Env): RemoteSettings {
  const { basicAuth, authorization, tlsConfig: tls, queueConfig: queue } = remote;
  const secret = (source: SecretSource) => secretOf(source, env);
  const file = (path: string | undefined) => (path === undefined ? null : { file: path });
  return {
    ...{ name: remote.name, url: remote.url, protocol: remote.protocol, timeoutMs: remote.remoteTimeout },
    headers: Object.entries(remote.headers).map(([name, value]) => [
      name,
      typeof value === "string" ? { text: value } : secret(value),
    ]),
    access: {
      followRedirects: false,
      basic: basicAuth
        ? { username: { text: basicAuth.username }, password: secret(basicAuth.password) }
        : null,
      token: authorization
        ? { type: authorization.type, credentials: secret(authorization.credentials) }
        : null,
      tls: {
        ...{ ca: file(tls.caFile), cert: file(tls.certFile), key: file(tls.keyFile) },
        ...{ serverName: tls.serverName ?? null, isUnchecked: tls.insecureSkipVerify },
      },
    },
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

function secretOf({ env: name, file }: SecretSource, env: Env): Secret {
  if (file !== undefined) return { file };
  const text = env[name ?? ""] ?? "";
  return text === "" ? { unsetVariable: name ?? "" } : { text };
}
