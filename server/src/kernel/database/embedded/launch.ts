import { spawn } from "node:child_process";
import { closeSync, fchownSync, openSync, renameSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { AppError } from "@mainstay/api";
import type { Clock } from "../../clock.ts";
import { takeGuard, type Guard } from "./guard.ts";
import type { Place } from "./place.ts";
import { findPostmaster, isRunning, isSameCommand, stopPostmaster, type Postmaster } from "./postmaster.ts";
import { childEnvironment, identity } from "./run-command.ts";

/** A PostgreSQL that answers, and the guard that says it is ours. */
export interface Running {
  postmaster: Postmaster;
  guard: Guard;
  origin: "started" | "adopted";
}

const LOG_SIZE_LIMIT_BYTES = 8 * 1024 ** 2;
/** Recovery after a crash replays at most max_wal_size. */
const READY_DEADLINE_MS = 120_000;
const POLL_MS = 20;

/** Adopts the PostgreSQL that runs already, if it is as it should be, else starts it (anew). */
export async function launch(place: Place, clock: Clock): Promise<Running> {
  const orphan = await findPostmaster(place.cluster);
  if (!orphan) return startAnew(place, clock);
  const guard = await takeGuard(orphan.socketDirectory, place.cluster);
  if (guard && isSameCommand(orphan.command, place.command))
    return { postmaster: orphan, guard, origin: "adopted" };
  await guard?.release();
  await stopPostmaster(orphan, clock);
  return startAnew(place, clock);
}

async function startAnew(place: Place, clock: Clock): Promise<Running> {
  const { postmaster, hasEnded } = await spawnPostgres(place);
  const guard = await waitForGuard(place, hasEnded, clock);
  if (guard && isRunning(postmaster)) return { postmaster, guard, origin: "started" };
  await guard?.release();
  if (isRunning(postmaster)) await stopPostmaster(postmaster, clock);
  // Another server was quicker.
  else if (await findPostmaster(place.cluster)) return launch(place, clock);
  const reason = `the embedded PostgreSQL did not start: ${await lastWords(place.logFile)} (see ${place.logFile})`;
  throw new AppError("DATABASE_UNREACHABLE", { reason });
}

/** The guard as soon as PostgreSQL answers; null when it dies first, or takes too long. */
async function waitForGuard(place: Place, hasEnded: () => boolean, clock: Clock): Promise<Guard | null> {
  const endMs = clock.monotonicMs() + READY_DEADLINE_MS;
  while (!hasEnded() && clock.monotonicMs() < endMs) {
    const guard = await takeGuard(place.socketDirectory, place.cluster);
    if (guard) return guard;
    await clock.sleep(POLL_MS);
  }
  return null;
}

interface Spawned {
  postmaster: Postmaster;
  /** Told by the child itself: a process in the middle of execve has no command line to be known by. */
  hasEnded: () => boolean;
}

/**
 * In a session of its own, with its log in a file: neither Ctrl-C nor the death of this process reaches it.
 */
async function spawnPostgres(place: Place): Promise<Spawned> {
  const [program = "", ...parameters] = [...place.account.wrapper, ...place.command];
  const logHandle = openLog(place);
  try {
    const child = spawn(program, parameters, {
      cwd: "/",
      env: childEnvironment(),
      stdio: ["ignore", logHandle, logHandle],
      detached: true,
      ...identity(place.account),
    });
    child.unref();
    await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
    const { cluster, command, socketDirectory } = place;
    const postmaster = { pid: child.pid ?? 0, cluster, command, socketDirectory };
    return { postmaster, hasEnded: () => child.exitCode !== null || child.signalCode !== null };
  } finally {
    closeSync(logHandle);
  }
}

/** The log belongs to the account, so that it can go on writing when it starts PostgreSQL itself one day. */
function openLog({ logFile, account }: Place): number {
  const sizeBytes = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (sizeBytes > LOG_SIZE_LIMIT_BYTES) renameSync(logFile, `${logFile}.1`);
  const handle = openSync(logFile, "a", 0o640);
  if (account.isSwitched) fchownSync(handle, account.uid, account.gid);
  return handle;
}

async function lastWords(file: string): Promise<string> {
  const lines = (await readFile(file, "utf8").catch(() => "")).trim().split("\n");
  return lines.findLast((line) => /FATAL|PANIC|could not/.test(line)) ?? lines.at(-1) ?? "no reason given";
}
