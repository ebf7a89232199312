import type { IdentityConfig } from "@mainstay/api";
import type { Clock } from "../../../kernel/clock.ts";
import type { Database } from "../../../kernel/database/index.ts";
import type { Ids, Random } from "../../../kernel/ids.ts";
import type { Log } from "../../../kernel/log.ts";
import type { Metrics } from "../../../kernel/metrics.ts";
import type { Audit } from "../../audit/index.ts";
import type { AccessPort } from "./access-port.ts";
import type { PeopleStore, UserRow } from "./people-store.ts";
import type { SessionStore, Transport } from "./session-store.ts";

/** What every part of the accounts shares. */
export interface AccountsRoom {
  db: Database;
  clock: Clock;
  random: Random;
  ids: Ids;
  audit: Audit;
  log: Log;
  metrics: Pick<Metrics, "counter">;
  config: IdentityConfig;
  access: AccessPort;
  people: PeopleStore;
  sessions: SessionStore;
}

/** From where somebody tries to get in. */
export interface Visitor {
  address: string;
  requestId: string;
  /** As in "Firefox on Linux". */
  agent: string;
  /** The token that proves that this device was used before. */
  device: string | null;
  transport: Transport;
}

/** The user as an actor of audit rows. */
export function actorOf({ id, name }: Pick<UserRow, "id" | "name">) {
  return { type: "user", id, name };
}
