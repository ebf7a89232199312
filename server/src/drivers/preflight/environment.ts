import { AppError } from "@mainstay/api";
import { findingOf, type Finding } from "../../core/changes/index.ts";
import type { Situation } from "./situation.ts";

/** Names only: a value of env may be something that nobody should read in a log. */
export function checkEnvironment({ candidate, stable, secretNames }: Situation): Finding[] {
  const { env, secrets } = candidate.snapshot;
  const differences = stable ? differencesOf(stable.snapshot.env, env) : [];
  const unused = secretNames.filter((name) => !secrets.includes(name));
  const shadowed = secrets.filter((name) => env[name] !== undefined);
  return [
    ...warn(differences, () => new AppError("PREFLIGHT_ENV", { differences: differences.join(", ") })),
    ...warn(unused, () => new AppError("PREFLIGHT_SECRET_UNUSED", { names: unused.join(", ") })),
    ...warn(shadowed, () => new AppError("PREFLIGHT_SECRET_SHADOWED", { names: shadowed.join(", ") })),
  ];
}

function differencesOf(before: Record<string, string>, after: Record<string, string>): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return names.flatMap((name) => {
    if (before[name] === after[name]) return [];
    if (before[name] === undefined) return [`${name} added`];
    return [after[name] === undefined ? `${name} removed` : `${name} changed`];
  });
}

function warn(names: string[], describe: () => AppError): Finding[] {
  return names.length === 0 ? [] : [findingOf(describe(), { severity: "warning" })];
}
