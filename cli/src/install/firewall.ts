import type { Machine } from "./machine.ts";

/** What a firewall on this machine would need to be told. It is told by a person: never changed here. */
export async function firewallHints(machine: Machine, port: number): Promise<string[]> {
  const ufw = await machine.run(["ufw", "status"]);
  if (ufw.exitCode === 0 && /Status: active/.test(ufw.stdout)) {
    return [`ufw is active: ufw allow ${port}/tcp`];
  }
  const nft = await machine.run(["nft", "list", "ruleset"]);
  if (nft.exitCode !== 0 || !/hook input [^}]*policy drop/s.test(nft.stdout)) return [];
  return [`nftables drops what comes in: let tcp dport ${port} pass, and keep it in /etc/nftables.conf`];
}
