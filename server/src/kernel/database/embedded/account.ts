import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";

/** Who runs PostgreSQL, and how a command becomes theirs. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
  /** Whether this process, being root, has to change to the account when it starts a program. */
  isSwitched: boolean;
  /** Put before every command; empty unless the account can only be had in a user namespace. */
  wrapper: string[];
}

const NOBODY_ID = 65_534;
/** In this order, when root has to choose. */
const NAMES = ["mainstay", "postgres"];
/**
 * Inside the namespace the process is "nobody", which has a line in /etc/passwd; outside it stays who it is.
 */
const NAMESPACE = ["unshare", "--user", `--map-user=${NOBODY_ID}`, "--"];

/**
 * The account for the cluster: ourselves unless we are root, which PostgreSQL refuses. For root
 * the owner of the cluster, else `mainstay`, `postgres`, else a new system account `mainstay`,
 * else `nobody`; and where root cannot become anybody else, root in a user namespace.
 */
export function chooseAccount(cluster: string): Account {
  const found = findAccount(cluster);
  if (!found.isSwitched) return found;
  const isNamed = found.name !== "nobody" || ownerOf(cluster) !== null;
  const account = isNamed ? found : (createSystemAccount() ?? found);
  return canBecome(account) ? account : { ...self(), wrapper: NAMESPACE };
}

/** As chooseAccount, but alters nothing: where an account would be created it answers `nobody`. */
export function findAccount(cluster: string): Account {
  const owner = ownerOf(cluster);
  if (process.getuid?.() !== 0) return self();
  if (owner?.uid === 0) return { ...self(), wrapper: NAMESPACE };
  const nobody = { name: "nobody", uid: NOBODY_ID, gid: NOBODY_ID };
  const found = owner ?? NAMES.map(lookUp).find((each) => each !== null) ?? lookUp("nobody") ?? nobody;
  return { ...found, isSwitched: true, wrapper: [] };
}

function self(): Account {
  const uid = process.getuid?.() ?? 0;
  const name = nameOf(uid);
  // initdb wants a name for its uid, which a container started with a bare number does not have.
  return {
    name: name ?? `uid ${uid}`,
    uid,
    gid: process.getgid?.() ?? 0,
    isSwitched: false,
    wrapper: name === null ? NAMESPACE : [],
  };
}

function ownerOf(cluster: string): { name: string; uid: number; gid: number } | null {
  if (!existsSync(cluster)) return null;
  const { uid, gid } = statSync(cluster);
  return { name: nameOf(uid) ?? `uid ${uid}`, uid, gid };
}

function createSystemAccount(): Account | null {
  const options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"];
  spawnSync("useradd", [...options, "--shell", "/usr/sbin/nologin", "mainstay"], { stdio: "ignore" });
  const created = lookUp("mainstay");
  return created ? { ...created, isSwitched: true, wrapper: [] } : null;
}

function canBecome({ uid, gid }: Account): boolean {
  return spawnSync("true", { uid, gid, cwd: "/", stdio: "ignore" }).status === 0;
}

function passwd(): { name: string; uid: number; gid: number }[] {
  if (!existsSync("/etc/passwd")) return [];
  return readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .filter((fields) => fields.length >= 4)
    .map(([name = "", , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
}

function lookUp(name: string): { name: string; uid: number; gid: number } | null {
  return passwd().find((each) => each.name === name) ?? null;
}

function nameOf(uid: number): string | null {
  return passwd().find((each) => each.uid === uid)?.name ?? null;
}
