const LISTEN = "0A";

/** The local ports that somebody listens on, from the text of /proc/net/tcp (proc(5)). */
export function portsInUse(table: string): Set<number> {
  const listening = [
    ...table.matchAll(/^\s*\d+:\s+[0-9A-F]+:([0-9A-F]{4})\s+[0-9A-F]+:[0-9A-F]{4}\s+(\w\w)/gm),
  ];
  const ports = listening.flatMap(([, port = "", state]) => (state === LISTEN ? [parseInt(port, 16)] : []));
  return new Set(ports);
}
