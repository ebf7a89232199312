import type { Authenticator, Circumstances } from "../authenticator.ts";
import type { Scene } from "./scene.ts";

export interface Answer {
  status: number;
  /** The whole body, for what it gives away. */
  text: string;
}

/** Where a request seems to come from. */
export interface From {
  address?: string;
  headers?: Record<string, string>;
}

export interface Entry extends Answer {
  /** Not null: the visitor is in. */
  session: string | null;
  /** Not null: a second factor is asked for. */
  challenge: string | null;
}

export interface Person {
  email: string;
  password: string;
  id: string;
  session: string;
}

export interface App {
  /** Its code now, or so many steps of 30 seconds away. */
  code(stepsAround?: number): string;
  recovery: string[];
}

/** What attacks are tried on, as far as they do not need more than every such thing has. */
export interface Target {
  name: string;
  /** Somebody new, who is logged in. */
  join(name: string): Promise<Person>;
  login(given: { email: string; password: string }, from?: From): Promise<Entry>;
  /** The second half of a login: a code of the app, or a recovery code. */
  finish(challenge: string, code: string, from?: From): Promise<Entry>;
  /** The id of whoever's session it is; null when it does not count. */
  whoIs(session: string): Promise<string | null>;
  logOut(session: string): Promise<void>;
  endOthers(session: string): Promise<void>;
  /** Answers the session that goes on; null when the change was refused. */
  changePassword(session: string, change: { current: string; password: string }): Promise<string | null>;
  enrolApp(person: Person): Promise<App>;
  addPasskey(
    person: Person,
    change?: Partial<Circumstances>,
  ): Promise<Answer & { authenticator: Authenticator }>;
  /** Options of a login by passkey, and what hands in the answer. */
  beginPasskey(): Promise<{ options: object; finish(response: object): Promise<Entry> }>;
  makeKey(person: Person, lifetimeSeconds?: number): Promise<{ id: string; text: string }>;
  doesKeyHold(text: string): Promise<boolean>;
  revokeKey(person: Person, id: string): Promise<void>;
  /** A short-lived token of a person, and whether a token lets anybody in. */
  makeToken(person: Person): Promise<string>;
  doesTokenHold(text: string): Promise<boolean>;
  /** The public keys that tokens are verified with, as JSON Web Keys. */
  tokenKeys(): Promise<Record<string, unknown>[]>;
  /** A session that a browser keeps in a cookie, and something altered by it. */
  cookieOf(person: Person): Promise<{ header: string; setCookie: string }>;
  alterByCookie(cookie: string, headers: Record<string, string>): Promise<Answer>;
  advance(ms: number): Promise<void>;
  /** Everything that is stored, as text. */
  stored(): Promise<string>;
  origin: string;
  /** More of Mainstay itself; throws NotApplicable elsewhere. */
  scene(): Scene;
  close(): Promise<void>;
}
