import { readFile } from "node:fs/promises";
import path from "node:path";
import { AppError, describeIssues, parseServiceFile, serviceFile, type ServiceFile } from "@mainstay/api";
import type { Target } from "./store.ts";

export interface SnapshotWish {
  /** Name of the service file inside the directory. */
  file: string;
  environment?: string | undefined;
  /** Throws for a service and environment that whoever asks may not enter; they are known only now. */
  permit?: ((target: Target) => void) | undefined;
}

/**
 * What the service file of a directory says, with what the request puts in its place. Errors name it as
 * `shownAs`; by default by its path.
 */
export async function readSnapshot(
  directory: string,
  wish: SnapshotWish,
  shownAs?: string,
): Promise<ServiceFile> {
  const at = path.resolve(directory, wish.file);
  const file = shownAs ?? at;
  if (!at.startsWith(`${path.resolve(directory)}${path.sep}`))
    throw new AppError("CONFIG_UNREADABLE", { file, reason: "it lies outside of the directory" });
  const text = await readFile(at, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new AppError("CONFIG_UNREADABLE", { file, reason: error.code ?? "unknown" }, { cause: error });
  });
  if (wish.environment !== undefined) mustBeName(wish.environment);
  const snapshot = parseServiceFile(text, file, wish.environment);
  wish.permit?.({ service: snapshot.service, environment: snapshot.environment });
  return snapshot;
}

function mustBeName(environment: string): void {
  const checked = serviceFile.shape.environment.safeParse(environment);
  if (checked.success) return;
  const errors = describeIssues(checked.error);
  throw new AppError("CONFIG_INVALID", { file: "--environment" }, { errors });
}
