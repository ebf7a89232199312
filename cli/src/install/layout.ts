/** Where an installed Mainstay keeps its things; the units in deploy/systemd name the same places. */
export const LAYOUT = {
  account: "mainstay",
  /** One directory for each version, and the links `current` and `previous`. */
  programs: "/opt/mainstay",
  current: "/opt/mainstay/current",
  previous: "/opt/mainstay/previous",
  configuration: "/etc/mainstay",
  configFile: "/etc/mainstay/mainstay.platform.yaml",
  data: "/var/lib/mainstay",
  runtime: "/run/mainstay",
  command: "/usr/local/bin/mainstay",
  units: "/etc/systemd/system",
} as const;

export const AGENT_UNIT = "mainstay-agent.service";
export const SOCKET_UNIT = "mainstay-agent.socket";
export const SERVER_UNIT = "mainstay-server.service";
export const UNITS = [SOCKET_UNIT, AGENT_UNIT, SERVER_UNIT] as const;

/** The database of Debian's PostgreSQL, by its UNIX socket: whoever is the account `mainstay` is let in. */
export const DEBIAN_DATABASE_URL = "postgres://mainstay@%2Frun%2Fpostgresql/mainstay";
