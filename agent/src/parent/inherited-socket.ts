const FIRST_DESCRIPTOR = 3;

/** What a service manager says about the sockets it opened; sd_listen_fds(3). */
interface Handed {
  env: Readonly<Record<string, string | undefined>>;
  pid: number;
}

/**
 * The descriptor of the socket of that name that a service manager handed to this process; null without one.
 */
export function inheritedSocket(name: string, { env, pid }: Handed): number | null {
  if (Number(env["LISTEN_PID"]) !== pid) return null;
  const count = Number(env["LISTEN_FDS"]);
  const at = (env["LISTEN_FDNAMES"] ?? "").split(":").slice(0, count).indexOf(name);
  return at === -1 ? null : FIRST_DESCRIPTOR + at;
}
