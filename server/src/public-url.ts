import type { PlatformConfig } from "@mainstay/api";

const HERE: readonly string[] = ["127.0.0.1", "::1", "0.0.0.0", "::", "localhost"];

/** Where browsers find the server. On this machine by name: passkeys are bound to names, not to addresses. */
export function publicUrlOf({ host, port, publicHost }: PlatformConfig["server"]): string {
  if (publicHost !== null) return `https://${publicHost}`;
  if (HERE.includes(host)) return `http://localhost:${port}`;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
