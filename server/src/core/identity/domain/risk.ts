export interface Place {
  latitude: number;
  longitude: number;
}

/** A login that succeeded. */
export interface PastLogin {
  at: Date;
  device: string | null;
  network: string;
  /** As in "Firefox on Linux". */
  agent: string;
  place: Place | null;
}

export interface LoginFacts {
  at: Date;
  device: string | null;
  network: string;
  agent: string;
  place: Place | null;
  /** Newest first. */
  history: readonly PastLogin[];
  /** Attempts on this account, from this address, that failed within the last day. */
  accountFailures: number;
  addressFailures: number;
}

export type RiskReason =
  | "new-device"
  | "new-network"
  | "impossible-travel"
  | "account-failures"
  | "address-failures"
  | "rare-hour"
  | "agent-change";

export interface RiskDecision {
  decision: "allow" | "step-up" | "deny";
  reasons: RiskReason[];
  score: number;
}

/** Signals add up; none but a journey that nobody makes is enough to refuse, and that only with another one. */
const WEIGHTS: Record<RiskReason, number> = {
  "new-device": 2,
  "new-network": 1,
  "impossible-travel": 4,
  "account-failures": 2,
  "address-failures": 2,
  "rare-hour": 1,
  "agent-change": 1,
};
const STEP_UP_SCORE = 2;
const DENY_SCORE = 7;
const FAILURES = 3;
/** Faster than an airliner, with room for errors of the place. */
const FASTEST_KM_PER_HOUR = 1_000;
/** Places are no better than this. */
const PLACE_ERROR_KM = 200;
/** Fewer logins say nothing about habits. */
const HABIT_LOGINS = 20;
const EARTH_RADIUS_KM = 6_371;

export const RISK_WORDS: Record<RiskReason, string> = {
  "new-device": "this device has not been used before",
  "new-network": "this network has not been used before",
  "impossible-travel": "the last login was too far away to have travelled since",
  "account-failures": "several attempts on this account failed before",
  "address-failures": "several attempts from this address failed before",
  "rare-hour": "this is an hour of the week without earlier logins",
  "agent-change": "this program has not been used before",
};

/** How unusual a login is, what follows from that, and why. The first login of all has nothing to compare with. */
export function assessLogin(facts: LoginFacts): RiskDecision {
  const reasons = [...byHistory(facts), ...byFailures(facts)];
  const score = reasons.reduce((sum, reason) => sum + WEIGHTS[reason], 0);
  const decision = score >= DENY_SCORE ? "deny" : score >= STEP_UP_SCORE ? "step-up" : "allow";
  return { decision, reasons, score };
}

function byHistory(facts: LoginFacts): RiskReason[] {
  const { history, device, network, agent } = facts;
  if (history.length === 0) return [];
  const isNew = (same: (past: PastLogin) => boolean): boolean => !history.some(same);
  return [
    ...(device === null || isNew((past) => past.device === device) ? ["new-device" as const] : []),
    ...(isNew((past) => past.network === network) ? ["new-network" as const] : []),
    ...(isNew((past) => past.agent === agent) ? ["agent-change" as const] : []),
    ...(isImpossibleTravel(facts) ? ["impossible-travel" as const] : []),
    ...(isRareHour(facts) ? ["rare-hour" as const] : []),
  ];
}

function byFailures({ accountFailures, addressFailures }: LoginFacts): RiskReason[] {
  return [
    ...(accountFailures >= FAILURES ? ["account-failures" as const] : []),
    ...(addressFailures >= FAILURES ? ["address-failures" as const] : []),
  ];
}

function isImpossibleTravel({ at, place, history }: LoginFacts): boolean {
  const last = history.find((past) => past.place !== null);
  if (!place || !last?.place) return false;
  const hours = Math.max(0, at.getTime() - last.at.getTime()) / 3_600_000;
  return distanceKm(place, last.place) > PLACE_ERROR_KM + hours * FASTEST_KM_PER_HOUR;
}

/** An hour counts with its neighbours, as people are not punctual. */
function isRareHour({ at, history }: LoginFacts): boolean {
  if (history.length < HABIT_LOGINS) return false;
  const hour = hourOfWeek(at);
  const isNear = (other: number): boolean => [0, 1, 167].includes((other - hour + 168) % 168);
  return !history.some((past) => isNear(hourOfWeek(past.at)));
}

function hourOfWeek(at: Date): number {
  return at.getUTCDay() * 24 + at.getUTCHours();
}

/** Along the surface of the earth: the haversine formula. */
export function distanceKm(one: Place, other: Place): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const latitude = radians(other.latitude - one.latitude) / 2;
  const longitude = radians(other.longitude - one.longitude) / 2;
  const chord =
    Math.sin(latitude) ** 2 +
    Math.cos(radians(one.latitude)) * Math.cos(radians(other.latitude)) * Math.sin(longitude) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(chord)));
}
