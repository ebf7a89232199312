import type { ChannelConfig, HttpTarget, IdentityConfig, SecretSource } from "@mainstay/api";

type Locate = (file: string) => string;

/** Channels whose files are named by absolute paths. */
export function locateFilesOf(
  channels: Record<string, ChannelConfig>,
  locate: Locate,
): Record<string, ChannelConfig> {
  const located = Object.entries(channels).map(([name, channel]) => [name, locateChannel(channel, locate)]);
  return Object.fromEntries(located);
}

/** A URL, or where it is kept, by an absolute path. */
export function locateTarget(target: HttpTarget, locate: Locate): HttpTarget {
  return typeof target === "string" ? target : locateSource(target, locate);
}

/** Identity providers whose secrets are named by absolute paths. */
export function locateSecretsOf(identity: IdentityConfig, locate: Locate): IdentityConfig {
  const oidc = identity.oidc.map((provider) => ({
    ...provider,
    clientSecret: locateSource(provider.clientSecret, locate),
  }));
  return { ...identity, oidc };
}

/** Where a secret is kept, by an absolute path. */
export function locateSource({ env, file }: SecretSource, locate: Locate): SecretSource {
  return { env, file: file === undefined ? undefined : locate(file) };
}

function locateChannel(channel: ChannelConfig, locate: Locate): ChannelConfig {
  if (channel.kind === "webhook") {
    const secrets = channel.secrets.map((each) => locateSource(each, locate));
    return { ...channel, url: locateTarget(channel.url, locate), secrets };
  }
  const { password, caFile } = channel.smtp;
  const smtp = {
    ...channel.smtp,
    password: password && locateSource(password, locate),
    caFile: caFile === undefined ? undefined : locate(caFile),
  };
  return { ...channel, smtp };
}
