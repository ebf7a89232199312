import { parseDurationMs } from "@mainstay/api/plain";
import { InvalidArgumentError } from "commander";

/** "90s" → milliseconds. */
export function durationOption(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === null) throw new InvalidArgumentError('Expected a duration such as "90s" or "10m".');
  return ms;
}

/** KEY=value, collected over repetitions. */
export function environmentOption(text: string, collected: Record<string, string>): Record<string, string> {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text);
  if (!match) throw new InvalidArgumentError("Expected KEY=value.");
  return { ...collected, [match[1] ?? ""]: match[2] ?? "" };
}

/** A regular expression. */
export function patternOption(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw new InvalidArgumentError("Expected a regular expression.");
  }
}

/** Text, collected over repetitions. */
export function listOption(text: string, collected: string[]): string[] {
  return [...collected, text];
}

/** A whole number from 1 up. */
export function countOption(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1)
    throw new InvalidArgumentError("Expected a whole number from 1 up.");
  return count;
}
