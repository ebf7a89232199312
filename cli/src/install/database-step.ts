import { setTimeout as delay } from "node:timers/promises";
import { LAYOUT } from "./layout.ts";
import { mustRun, type Machine } from "./machine.ts";
import type { Step } from "./plan.ts";

const READY_ATTEMPTS = 60;
const READY_RETRY_MS = 500;

/** A package of Debian. It stays when Mainstay goes: others may have come to use it. */
export function packageStep(machine: Machine, name: string, why: string): Step {
  const apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"];
  return {
    id: `package-${name}`,
    title: `Debian's package ${name}`,
    what: `apt-get install ${name}: ${why}`,
    async isDone() {
      const { exitCode, stdout } = await machine.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", name]);
      return exitCode === 0 && stdout.trim() === "installed";
    },
    async do() {
      await mustRun(machine, [...apt, "update"]);
      await mustRun(machine, [...apt, "--no-install-recommends", "install", name]);
    },
  };
}

/** Role and database of Debian's PostgreSQL, reached over its UNIX socket by the account's own name. */
export function databaseStep(machine: Machine): Step {
  const { account } = LAYOUT;
  const ask = async (sql: string) => {
    const { exitCode, stdout } = await machine.run(["psql", "-XtAc", sql, "postgres"], { as: "postgres" });
    return exitCode === 0 && stdout.trim() === "1";
  };
  const hasRole = () => ask(`select 1 from pg_roles where rolname = '${account}'`);
  const hasDatabase = () => ask(`select 1 from pg_database where datname = '${account}'`);
  return {
    id: "database",
    title: "role and database",
    what: `in Debian's PostgreSQL, named ${account}, without a password: the account is let in by its own name`,
    isDone: async () => (await hasRole()) && (await hasDatabase()),
    async do() {
      await mustRun(machine, ["systemctl", "start", "postgresql.service"]);
      await untilReady(machine);
      if (!(await hasRole())) await mustRun(machine, ["createuser", account], { as: "postgres" });
      if (await hasDatabase()) return;
      await mustRun(machine, ["createdb", "--owner", account, account], { as: "postgres" });
    },
    async undo() {
      await mustRun(machine, ["dropdb", "--if-exists", "--force", account], { as: "postgres" });
      await mustRun(machine, ["dropuser", "--if-exists", account], { as: "postgres" });
    },
  };
}

async function untilReady(machine: Machine): Promise<void> {
  for (let attempt = 0; attempt < READY_ATTEMPTS; attempt += 1) {
    if ((await machine.run(["pg_isready", "-q"], { as: "postgres" })).exitCode === 0) return;
    await delay(READY_RETRY_MS);
  }
  throw new Error("PostgreSQL does not answer on its UNIX socket; journalctl -u 'postgresql*' says why");
}
