import { isSecretName, MASK } from "../../kernel/redact.ts";

export interface Actor {
  /** "user", "key", "system", … */
  type: string;
  id: string;
  name: string;
}

/** One act that changed something. */
export interface NewAuditEntry {
  actor: Actor;
  /** Whom the actor acted for, where that is somebody else. */
  onBehalfOf?: Actor | null | undefined;
  /** `<room>.<past tense>`, as events are named. */
  action: string;
  resource: { type: string; id: string };
  environment?: string | null | undefined;
  service?: string | null | undefined;
  /** The id of the change that the act is part of. */
  change?: string | null | undefined;
  before?: Record<string, unknown> | null | undefined;
  after?: Record<string, unknown> | null | undefined;
  reason?: string | null | undefined;
  requestId?: string | null | undefined;
  /** Network address of whoever asked. */
  address?: string | null | undefined;
  /** How the actor proved anew who they are, where the act demanded it. */
  stepUp?: Record<string, unknown> | null | undefined;
}

export interface AuditEntry extends Required<{
  [Key in keyof NewAuditEntry]: Exclude<NewAuditEntry[Key], undefined>;
}> {
  id: string;
  /** From 1, without a gap, in the order of commitment; null for a moment after the commit. */
  index: number | null;
  /** RFC 3339, UTC, milliseconds. */
  at: string;
}

/** The value with every field masked whose name says that it holds a secret, at any depth. */
export function maskFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskFields);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      isSecretName(name) ? maskWhole(field) : maskFields(field),
    ]),
  );
}

/** "nothing", "yes" and "no" protect nobody when they are hidden. */
function maskWhole(value: unknown): unknown {
  return value === null || value === undefined || value === "" || typeof value === "boolean" ? value : MASK;
}

const TEXT_MAX = 500;

/** Names and ids of sensible length; what is cut off is said by an ellipsis. */
export function shorten(text: string): string {
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX - 1)}…`;
}
