/** Who acts, as it is kept with changes. */
export interface Person {
  type: string;
  id: string;
  name: string;
}

/** An approval as it is kept with its change. */
export interface Approval {
  by: Person;
  /** Whom they acted for, so that nobody approves twice by another key. */
  onBehalfOf: Person | null;
  /** RFC 3339. */
  at: string;
  reason: string | null;
  /** The roles of the rules they held. */
  roles: string[];
  /** It stands for this plan and no other. */
  planDigest: string;
}
