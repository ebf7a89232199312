import { createServer } from "node:net";
import { isThere } from "./files.ts";
import { versionAt, type Wishes } from "./installation.ts";
import { LAYOUT } from "./layout.ts";
import type { Machine } from "./machine.ts";

/** What speaks against installing here, all at once; each says what to do. */
export async function findObstacles(machine: Machine, wishes: Wishes): Promise<string[]> {
  const needsApt = wishes.database.kind === "debian" || wishes.hasHaproxy;
  const installed = await versionAt(machine, LAYOUT.current);
  const findings: [boolean, string][] = [
    [process.platform !== "linux", "this is not Linux"],
    [
      !(await isThere(machine, "/run/systemd/system")),
      "systemd does not run here: start the platform with `mainstay up` instead",
    ],
    [
      needsApt && (await machine.run(["apt-get", "--version"])).exitCode !== 0,
      "there is no apt-get: set DATABASE_URL, or take --database embedded",
    ],
    [
      installed !== null && installed !== wishes.version,
      `version ${installed} is installed, and this is ${wishes.version}: use mainstay upgrade`,
    ],
    [
      installed === null && (await isTaken(wishes.trafficPort)),
      `port ${wishes.trafficPort} is in use: stop that program (ss -ltnp shows it), or choose another with --port`,
    ],
  ];
  return findings.filter(([applies]) => applies).map(([, text]) => text);
}

/** Only whether another program has it: that this account may not have it is no finding. */
function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "EADDRINUSE"));
    probe.listen({ host: "0.0.0.0", port, exclusive: true }, () => probe.close(() => resolve(false)));
  });
}
