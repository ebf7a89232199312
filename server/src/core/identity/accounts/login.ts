import { AppError } from "@mainstay/api";
import { z } from "zod";
import { assessLogin, RISK_WORDS, type Place, type RiskDecision } from "../domain/risk.ts";
import { networkOf } from "../domain/network.ts";
import type { AddressLimit } from "./address-limits.ts";
import type { Attempt, AttemptLimits } from "./attempts.ts";
import type { Ceremonies } from "./ceremonies.ts";
import type { Entered, Entrance } from "./entrance.ts";
import type { Passwords } from "./passwords.ts";
import type { UserRow } from "./people-store.ts";
import type { RefusalReason, Refusals } from "./refusals.ts";
import type { AccountsRoom, Visitor } from "./room.ts";

/** Where an address is, if somebody brings a source for that; none comes with Mainstay. */
export interface GeoSource {
  locate(address: string): Place | null;
}

export type FactorMethod = "totp" | "recovery" | "passkey";

/** What a person has to show beside the password. */
export interface SecondFactors {
  /** Empty: none is enrolled. */
  methodsOf(userId: string): Promise<FactorMethod[]>;
  /** How it was confirmed; null when the answer is wrong. An answer that was right once is wrong afterwards. */
  confirm(userId: string, answer: FactorAnswer): Promise<FactorMethod | null>;
}

export interface PasskeyAnswer {
  challenge: string;
  response: unknown;
}

export interface FactorAnswer {
  /** Of an app, or one of the recovery codes. */
  code?: string | undefined;
  /** What a browser answers to the options of a passkey, and the token of these. */
  passkey?: PasskeyAnswer | undefined;
}

export type LoginOutcome =
  | { state: "entered"; entered: Entered }
  | { state: "second-factor"; challenge: string; expiresAt: Date; methods: FactorMethod[]; risk: RiskDecision };

export interface Proof {
  methods: string[];
  /** A second factor, or something worth two, was among them. */
  isStrong: boolean;
  /** Attempts on the account that failed before this one. */
  failuresBefore: number;
}

/** What is kept of a login that waits for its second factor. */
const begunLogin = z.object({ failuresBefore: z.number() });

export interface LoginParts {
  room: AccountsRoom;
  passwords: Passwords;
  attempts: AttemptLimits;
  addresses: AddressLimit;
  ceremonies: Ceremonies;
  entrance: Entrance;
  refusals: Refusals;
  factors: SecondFactors;
  passkeys: { verify(answer: PasskeyAnswer): Promise<string | null> };
  geo: GeoSource | null;
}

export type Login = ReturnType<typeof createLogin>;

/** Who may come in: password, second factor, and how unusual it all is. */
export function createLogin(parts: LoginParts) {
  const { room, passwords, attempts, addresses, ceremonies, entrance, refusals, factors, passkeys, geo } = parts;
  const { people, config, clock } = room;

  async function refuse(error: AppError, visitor: Visitor, refusal: { reason: RefusalReason; user: UserRow | null }) {
    if (refusal.reason !== "delayed") addresses.failed(visitor.address);
    await refusals.refused({ ...refusal, visitor });
    return error;
  }

  /** Takes an attempt; one that comes too soon is counted as a refusal. */
  async function begin(attempt: Attempt, visitor: Visitor, user: UserRow | null): Promise<void> {
    await attempts.begin(attempt).catch(async (error: unknown) => {
      throw error instanceof AppError ? await refuse(error, visitor, { reason: "delayed", user }) : error;
    });
  }

  async function assess(
    user: UserRow,
    visitor: Visitor,
    accountFailures: number,
  ): Promise<{ risk: RiskDecision; place: Place | null }> {
    const place = geo?.locate(visitor.address) ?? null;
    const known = await entrance.knownDevice(visitor.device, user.id);
    const risk = assessLogin({
      at: clock.now(),
      device: known?.id ?? null,
      ...{ network: networkOf(visitor.address), agent: visitor.agent, place },
      history: await room.sessions.logins(user.id),
      accountFailures,
      addressFailures: addresses.failures(visitor.address),
    });
    return { risk, place };
  }

  /** The last step for somebody whose every proof was right. */
  async function enter(user: UserRow, visitor: Visitor, proof: Proof): Promise<Entered> {
    const { risk, place } = await assess(user, visitor, proof.failuresBefore);
    if (risk.decision === "deny") {
      await refusals.refused({ reason: "unusual", user, visitor, details: { reasons: risk.reasons } });
      throw new AppError("LOGIN_UNUSUAL", {}, { errors: riskErrors(risk) });
    }
    const isSteppedUp = proof.isStrong || (risk.decision === "allow" && (await canConfirmAlone(user.id)));
    const entered = await entrance.enter({ user, visitor, methods: proof.methods, isSteppedUp, risk, place });
    refusals.letIn();
    return entered;
  }

  /** One proof is enough for who has enrolled no second factor, where the platform says so. */
  async function canConfirmAlone(userId: string): Promise<boolean> {
    return config.passwordConfirms && (await factors.methodsOf(userId)).length === 0;
  }

  async function byPassword(given: { email: string; password: string }, visitor: Visitor): Promise<LoginOutcome> {
    const found = (await people.userByEmail(given.email)) ?? null;
    const user = found?.state === "active" ? found : null;
    const known = user ? await entrance.knownDevice(visitor.device, user.id) : null;
    const attempt: Attempt = { account: given.email, scope: "password", device: known?.id ?? null };
    await begin(attempt, visitor, found);
    const { isRight, rehash } = await passwords.verify(given.password, user?.password_hash ?? null);
    if (!isRight || user === null)
      throw await refuse(new AppError("LOGIN_REFUSED"), visitor, { reason: "password", user: found });
    const failuresBefore = (await attempts.failures(given.email)) - 1;
    if (rehash !== null) await people.rehash(user.id, { from: user.password_hash ?? "", to: rehash });
    const methods = await factors.methodsOf(user.id);
    if (methods.length === 0) {
      const entered = await enter(user, visitor, { methods: ["password"], isStrong: false, failuresBefore });
      await attempts.succeeded(attempt);
      return { state: "entered", entered };
    }
    await attempts.succeeded(attempt);
    const { risk } = await assess(user, visitor, failuresBefore);
    const begun = await ceremonies.begin("login", { userId: user.id, data: { failuresBefore } });
    return { state: "second-factor", challenge: begun.token, expiresAt: begun.expiresAt, methods, risk };
  }

  async function bySecondFactor(given: FactorAnswer & { challenge: string }, visitor: Visitor): Promise<Entered> {
    const { userId, data } = await ceremonies.attempt("login", given.challenge).catch(async (error: unknown) => {
      const refusal = { reason: "challenge" as const, user: null };
      throw error instanceof AppError ? await refuse(error, visitor, refusal) : error;
    });
    const user = await activeUser(userId);
    const method = await confirmFactor(user, given, visitor);
    await ceremonies.take("login", given.challenge);
    const { failuresBefore } = begunLogin.parse(data);
    return enter(user, visitor, { methods: ["password", method], isStrong: true, failuresBefore });
  }

  /** Throws LOGIN_REFUSED for a wrong answer, of which there is a growing delay as for passwords. */
  async function confirmFactor(user: UserRow, given: FactorAnswer, visitor: Visitor): Promise<FactorMethod> {
    const attempt: Attempt = { account: user.id, scope: "factor", device: null };
    await begin(attempt, visitor, user);
    const method = await factors.confirm(user.id, given);
    if (method === null)
      throw await refuse(new AppError("LOGIN_REFUSED"), visitor, { reason: "second-factor", user });
    await attempts.succeeded(attempt);
    return method;
  }

  /** Throws LOGIN_REFUSED unless it is the user's password; slowed down like a login. */
  async function confirmPassword(user: UserRow, password: string, visitor: Visitor): Promise<void> {
    const attempt: Attempt = { account: user.id, scope: "password", device: null };
    await begin(attempt, visitor, user);
    const { isRight } = await passwords.verify(password, user.password_hash);
    if (!isRight) throw await refuse(new AppError("LOGIN_REFUSED"), visitor, { reason: "password", user });
    await attempts.succeeded(attempt);
  }

  /** Throws CHALLENGE_EXPIRED for somebody who may not come in any more. */
  async function activeUser(id: string | null): Promise<UserRow> {
    const user = id === null ? undefined : await people.user(id);
    if (user?.state !== "active") throw new AppError("CHALLENGE_EXPIRED");
    return user;
  }

  async function byPasskey(answer: PasskeyAnswer, visitor: Visitor): Promise<Entered> {
    const userId = await passkeys.verify(answer);
    const user = userId === null ? undefined : await people.user(userId);
    if (user?.state !== "active")
      throw await refuse(new AppError("LOGIN_REFUSED"), visitor, { reason: "passkey", user: user ?? null });
    return enter(user, visitor, { methods: ["passkey"], isStrong: true, failuresBefore: 0 });
  }

  return { byPassword, bySecondFactor, byPasskey, canConfirmAlone, confirmFactor, confirmPassword, enter, activeUser };
}

function riskErrors({ reasons }: RiskDecision) {
  return reasons.map((reason) => ({ path: "(login)", message: RISK_WORDS[reason] }));
}
