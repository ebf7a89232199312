import type { IdentityConfig, SecretSource } from "@mainstay/api";
import type { Http } from "../../../kernel/http/index.ts";
import { ARGON2_COST, type Argon2Cost } from "../domain/password-hash.ts";
import type { Sealer } from "../../secrets/index.ts";
import { createFactors } from "../factors/factors.ts";
import { addFactorRoutes } from "../factors/factor-routes.ts";
import { createPasskeys } from "../factors/passkeys.ts";
import { createOidc } from "../oidc/oidc.ts";
import { addOidcRoutes } from "../oidc/oidc-routes.ts";
import { addPageRoutes } from "../page/page-routes.ts";
import { addAccountRoutes, addProofRoutes } from "./account-routes.ts";
import { createAddressLimit } from "./address-limits.ts";
import { createAttemptLimits } from "./attempts.ts";
import { createBreachedCheck } from "./breached.ts";
import { createCeremonies } from "./ceremonies.ts";
import { createEntrance } from "./entrance.ts";
import { createLinks } from "./links.ts";
import { createLogin, type GeoSource } from "./login.ts";
import { addLoginRoutes } from "./login-routes.ts";
import { createPasswords } from "./passwords.ts";
import { createPeople } from "./people.ts";
import { addPeopleRoutes, addSessionRoutes } from "./people-routes.ts";
import { createPeopleStore } from "./people-store.ts";
import { createRefusals } from "./refusals.ts";
import type { AccountsRoom } from "./room.ts";
import { createSessions } from "./sessions.ts";
import { createSessionStore } from "./session-store.ts";
import { checkStrength, type PasswordCheck } from "./strength.ts";
import { createVisits } from "./visit.ts";

export interface AccountsDependencies extends Omit<AccountsRoom, "people" | "sessions"> {
  sealer: Sealer;
  readSecret: (source: SecretSource) => Promise<string>;
  dataDirectory: string;
  /** Where browsers find this server. */
  publicUrl: string;
  /** The host that is reached over HTTPS alone; null without one. */
  publicHost: string | null;
  /** None comes with Mainstay. */
  geo?: GeoSource | null;
  /** What a new password must pass: its strength, and the configured list of breached ones unless given. */
  passwordChecks?: readonly PasswordCheck[];
  /** The recommended one unless given. */
  passwordCost?: Argon2Cost;
}

const DAY_MS = 24 * 3_600_000;
/** What the next login is compared with. */
const HISTORY_MS = 180 * DAY_MS;
const DEVICES_MS = 365 * DAY_MS;

export type Accounts = ReturnType<typeof createAccounts>;

/** People: who may log in, how they prove who they are, and where they are logged in. */
export function createAccounts(dependencies: AccountsDependencies) {
  const { db, clock, random, config, dataDirectory, publicUrl, publicHost } = dependencies;
  const store = createPeopleStore(db);
  const room: AccountsRoom = { ...dependencies, people: store, sessions: createSessionStore(db) };
  const ceremonies = createCeremonies({ db, clock, random });
  const checks = checksOf(dependencies, config);
  const passwords = createPasswords({ random, checks, cost: dependencies.passwordCost ?? ARGON2_COST });
  const attempts = createAttemptLimits({ db, clock });
  const addresses = createAddressLimit({ clock, perMinute: config.loginsPerMinute });
  const refusals = createRefusals(room);
  const entrance = createEntrance(room);
  const passkeys = createPasskeys({ room, ceremonies, publicUrl });
  const factors = createFactors({ room, sealer: dependencies.sealer, passkeys });
  const parts = { room, passwords, attempts, addresses, ceremonies, entrance, refusals, factors, passkeys };
  const login = createLogin({ ...parts, geo: dependencies.geo ?? null });
  const { readSecret } = dependencies;
  const oidc = createOidc({ room, ceremonies, login, refusals, readSecret, publicUrl });
  const sessions = createSessions(room, { isAlive: entrance.isAlive, publicHost });
  const forgetFactors = factors.forget;
  const links = createLinks({ room, passwords, entrance, refusals, forgetFactors, dataDirectory, publicUrl });
  const factorsOf = async (userId: string) => (await factors.methodsOf(userId)).length > 0;
  const people = createPeople({ room, links, passwords, factorsOf, endLogins: ceremonies.endLogins });
  const nowMs = () => clock.now().getTime();
  const visits = createVisits({ addresses, refusals, publicHost, nowMs });

  return {
    /** Who shows the token or the cookie of a session. */
    authenticate: sessions.authenticate,
    /** The link for the first admin, when it was made now; null when it was there, or is not needed. */
    ensureSetupLink: links.ensureSetupLink,
    breakGlass: links.breakGlass,
    addRoutes(http: Http): void {
      addPageRoutes(http);
      addLoginRoutes(http, { login, links, people, passkeys, visits });
      addOidcRoutes(http, { oidc, people, visits });
      const account = { people, store, sessions, login, factors, visits };
      addAccountRoutes(http, account);
      addProofRoutes(http, account);
      addFactorRoutes(http, { factors, passkeys, people: store });
      const others = { people, links, sessions, access: room.access };
      addPeopleRoutes(http, others);
      addSessionRoutes(http, others);
    },
    /** Deletes what has ended and what is too old to say anything. */
    async purge(): Promise<void> {
      const ago = (ms: number) => new Date(nowMs() - ms);
      await room.sessions.purge(clock.now(), ago(config.sessionIdle));
      await room.sessions.purgeLogins(ago(HISTORY_MS));
      await room.sessions.purgeDevices(ago(DEVICES_MS));
      await store.purgeLinks(clock.now());
      await attempts.purge();
      await ceremonies.purge();
    },
  };
}

function checksOf({ passwordChecks, log }: AccountsDependencies, { breachedPasswords: url }: IdentityConfig) {
  return passwordChecks ?? [checkStrength, ...(url === null ? [] : [createBreachedCheck({ url, log })])];
}
