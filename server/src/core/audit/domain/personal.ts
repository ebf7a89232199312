import { hash } from "node:crypto";
import type { Random } from "../../../kernel/ids.ts";
import type { NewAuditEntry } from "../entry.ts";

/** A value that may identify a person, and where it stands in the entry. */
export interface PersonalValue {
  /** JSON pointer, RFC 6901. */
  field: string;
  /** Id of the user or key that it belongs to. */
  person: string;
  value: string;
}

/** Personal data of an entry by JSON pointer, what can be erased. Salts in hexadecimal. */
export type Disclosed = Record<string, { person: string; salt: string; value: string }>;

export const SALT_BYTES = 16;

/** Fields of `before` and `after` that hold personal data whatever they describe. */
const PERSONAL_NAMES = new Set([
  ...["email", "mail", "phone", "address", "ip", "ipAddress", "remoteAddress", "userAgent"],
  ...["displayName", "fullName", "firstName", "lastName"],
]);
/** What describes a person: there, a plain `name` is one too. */
const PERSONS = new Set(["user", "invitation", "session", "passkey"]);

/** What reading shows in place of a value that was erased. */
export const ERASED = "erased";

/** Takes personal data out of an entry: the same entry with null in its places, and what was there. */
export function separatePersonal<Entry extends NewAuditEntry>(
  entry: Entry,
): { entry: Entry; personal: PersonalValue[] } {
  const personal: PersonalValue[] = [];
  const take = (field: string, person: string, value: string | null | undefined): null => {
    if (typeof value === "string" && value !== "") personal.push({ field, person, value });
    return null;
  };
  const { actor, onBehalfOf } = entry;
  const withoutName = <Person extends NewAuditEntry["actor"]>(field: string, who: Person): Person =>
    who.type === "user" ? { ...who, name: take(field, who.id, who.name) ?? "" } : who;
  const isAboutPerson = PERSONS.has(entry.resource.type);
  const owner = isAboutPerson ? entry.resource.id : actor.id;
  const clean = (field: string, value: unknown): unknown => {
    if (Array.isArray(value)) return value.map((each, at) => clean(`${field}/${at}`, each));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => {
        const pointer = `${field}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
        const isPersonal = PERSONAL_NAMES.has(name) || (isAboutPerson && name === "name");
        if (isPersonal && typeof inner === "string") return [name, take(pointer, owner, inner)];
        return [name, clean(pointer, inner)];
      }),
    );
  };
  const record = (field: string, value: NewAuditEntry["before"]) =>
    value ? Object.fromEntries(Object.entries(Object(clean(field, value)))) : null;
  const separated = {
    ...entry,
    actor: withoutName("/actor/name", actor),
    onBehalfOf: onBehalfOf ? withoutName("/onBehalfOf/name", onBehalfOf) : null,
    before: record("/before", entry.before),
    after: record("/after", entry.after),
    address: take("/address", actor.id, entry.address),
  };
  return { entry: separated, personal };
}

/**
 * Each value under a salt of its own, which is erased with
 * it, and what the entry keeps: SHA-256(salt ‖ value) in hexadecimal.
 */
export function saltPersonal(personal: readonly PersonalValue[], random: Random) {
  if (personal.length === 0) return { personal: null, disclosed: null };
  const salted = personal.map(({ field, person, value }) => {
    const salt = Buffer.from(random(SALT_BYTES));
    const digest = hash("sha256", Buffer.concat([salt, Buffer.from(value)]), "hex");
    return { field, digest, kept: { person, salt: salt.toString("hex"), value } };
  });
  const disclosed: Disclosed = Object.fromEntries(salted.map(({ field, kept }) => [field, kept]));
  return { personal: Object.fromEntries(salted.map(({ field, digest }) => [field, digest])), disclosed };
}

/** Puts values back where they stood; a pointer that leads nowhere is passed over. */
export function restorePersonal(document: unknown, values: ReadonlyMap<string, string>): void {
  for (const [pointer, value] of values) {
    const names = pointer.slice(1).split("/").map(unescape);
    const last = names.pop() ?? "";
    let place: unknown = document;
    for (const name of names) place = isRecord(place) ? place[name] : undefined;
    if (isRecord(place) && last in place) place[last] = value;
  }
}

function unescape(name: string): string {
  return name.replaceAll("~1", "/").replaceAll("~0", "~");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
