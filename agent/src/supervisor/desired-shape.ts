import type { Challenge, DesiredState, HttpsSettings } from "@mainstay/api";

/**
 * The shape of a desired state, checked without the schema of @mainstay/api: loading zod would
 * add 10 MB to a process that otherwise needs 30. A test holds both to the same judgement.
 */

type Check = (value: unknown, path: string) => string | null;

const text: Check = (value, path) => (typeof value === "string" ? null : `${path}: expected text`);
const positive = integer(1, Number.MAX_SAFE_INTEGER);
const notNegative = integer(0, Number.MAX_SAFE_INTEGER);
const share = integer(0, 10_000);

function integer(least: number, most: number): Check {
  return (value, path) => {
    const isFine = Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most;
    return isFine ? null : `${path}: expected a whole number from ${least} to ${most}`;
  };
}

function orNull(check: Check): Check {
  return (value, path) => (value === null ? null : check(value, path));
}

function optional(check: Check): Check {
  return (value, path) => (value === undefined ? null : check(value, path));
}

const aboveZero: Check = (value, path) => {
  const isFine = typeof value === "number" && Number.isFinite(value) && value > 0;
  return isFine ? null : `${path}: expected a number above 0`;
};

const truth: Check = (value, path) => (typeof value === "boolean" ? null : `${path}: expected true or false`);

function either(first: Check, second: Check): Check {
  return (value, path) => (first(value, path) === null ? null : second(value, path));
}

function listOf(check: Check): Check {
  return (value, path) => {
    if (!Array.isArray(value)) return `${path}: expected a list`;
    return firstWrong(value.map((each, index) => check(each, `${path}[${index}]`)));
  };
}

function recordOf(check: Check): Check {
  return (value, path) => {
    if (!isObject(value)) return `${path}: expected an object`;
    return firstWrong(Object.entries(value).map(([name, each]) => check(each, `${path}.${name}`)));
  };
}

function object(shape: Record<string, Check>): Check {
  return (value, path) => {
    if (!isObject(value)) return `${path}: expected an object`;
    const unknown = Object.keys(value).find((name) => !(name in shape));
    if (unknown !== undefined) return `${path}.${unknown}: unknown key`;
    return firstWrong(Object.entries(shape).map(([name, check]) => check(value[name], `${path}.${name}`)));
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function firstWrong(results: (string | null)[]): string | null {
  return results.find((each) => each !== null) ?? null;
}

function oneOf(...values: string[]): Check {
  return (value, path) =>
    values.some((each) => each === value) ? null : `${path}: expected one of ${values.join(", ")}`;
}

const auto = oneOf("auto");
const arm = object({ release: text, instances: listOf(text) });

const instance = object({
  id: text,
  service: text,
  environment: text,
  process: text,
  release: text,
  directory: text,
  command: orNull(text),
  container: optional(object({ image: text, port: positive })),
  env: recordOf(text),
  port: orNull(either(auto, integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER))),
  health: orNull(object({ path: text, intervalMs: positive, timeoutMs: positive })),
  stopTimeoutMs: notNegative,
  logDirectory: text,
  singleton: optional(truth),
  once: optional(object({ timeoutMs: positive, input: optional(text) })),
  resources: optional(object({ memoryBytes: orNull(positive), cpu: orNull(aboveZero) })),
});

const service = object({
  service: text,
  environment: text,
  routes: listOf(object({ host: orNull(text), path: text })),
  change: orNull(text),
  assignmentHeader: orNull(text),
  weight: share,
  proven: share,
  stable: orNull(arm),
  candidate: orNull(arm),
  requestTimeoutMs: positive,
  drainTimeoutMs: notNegative,
  connections: object({
    balance: oneOf("round-robin", "least-connections"),
    weights: listOf(positive),
    drainTimeoutMs: notNegative,
    holdTimeoutMs: notNegative,
  }),
  maintenance: orNull(object({ retryAfterMs: positive })),
  answers: optional(object({ compression: truth, securityHeaders: truth })),
});

const desired = object({
  generation: notNegative,
  leaseTtlMs: positive,
  instances: listOf(instance),
  services: listOf(service),
  api: optional(object({ host: text, port: positive })),
});

const https = object({
  certificates: listOf(object({ hosts: listOf(text), cert: text, key: text })),
  port: positive,
  redirect: truth,
  secureHosts: listOf(text),
  hstsSeconds: notNegative,
});
const challenges = object({ challenges: listOf(object({ token: text, answer: text })) });

/** null when the value is a desired state; otherwise where and why it is not. */
export function findShapeError(value: unknown): string | null {
  return desired(value, "desired");
}

/** As findShapeError, of the settings of HTTPS; never repeats a value, which may be a key. */
export function findHttpsError(value: unknown): string | null {
  return https(value, "https");
}

export function isHttpsSettings(value: unknown): value is HttpsSettings {
  return findHttpsError(value) === null;
}

export function isChallenges(value: unknown): value is { challenges: Challenge[] } {
  return challenges(value, "body") === null;
}

export function isDesiredState(value: unknown): value is DesiredState {
  return findShapeError(value) === null;
}
