import { isAlive } from "../domain/session-life.ts";
import { networkOf } from "../domain/network.ts";
import type { Place, RiskDecision } from "../domain/risk.ts";
import { hashToken, isToken, makeToken } from "../domain/tokens.ts";
import type { Tx } from "../../../kernel/database/index.ts";
import type { UserRow } from "./people-store.ts";
import { actorOf, type AccountsRoom, type Visitor } from "./room.ts";
import type { DeviceRow, SessionRow } from "./session-store.ts";

export interface Entering {
  user: UserRow;
  visitor: Visitor;
  /** How they proved who they are: "password", "totp", "recovery", "passkey", "oidc:<name>", "link". */
  methods: string[];
  isSteppedUp: boolean;
  risk: RiskDecision;
  place: Place | null;
}

export interface Entered {
  user: UserRow;
  session: SessionRow;
  /** Of the session: shown to its owner once. */
  token: string;
  /** A new device's own token; null for one that was known. */
  device: string | null;
  risk: RiskDecision;
}

export type Entrance = ReturnType<typeof createEntrance>;

/** The moment somebody has proved who they are: a session begins, and is remembered for the next login. */
export function createEntrance({ db, clock, random, ids, audit, config, people, sessions }: AccountsRoom) {
  /** The device, if its token is known and it was used by this very user. */
  async function knownDevice(token: string | null, userId: string): Promise<DeviceRow | null> {
    if (token === null || !isToken("device", token)) return null;
    const device = await sessions.device(hashToken(token));
    return device?.user_id === userId ? device : null;
  }

  async function enterWithin(tx: Tx, entering: Entering): Promise<Entered> {
    const { user, visitor, methods, risk } = entering;
    const now = clock.now();
    const known = await knownDevice(visitor.device, user.id);
    const device = known ?? { ...freshDevice(user.id), token: makeToken(random, "device") };
    const token = makeToken(random, "session");
    const session: SessionRow = {
      id: ids.next("ses"),
      user_id: user.id,
      hash: token.hash,
      ...{ transport: visitor.transport, methods, address: visitor.address, agent: visitor.agent },
      created_at: now,
      last_used_at: now,
      expires_at: new Date(now.getTime() + config.sessionLifetime),
      stepped_up_at: entering.isSteppedUp ? now : null,
    };
    await sessions.insert(tx, session);
    if ("token" in device) {
      const { id, user_id } = device;
      await sessions.insertDevice(tx, { id, user_id, hash: device.token.hash, last_used_at: now });
    } else await sessions.noteDevice(tx, device.id, now);
    const { agent, address } = visitor;
    const past = { at: now, device: device.id, network: networkOf(address), agent, place: entering.place };
    await sessions.insertLogin(tx, { user_id: user.id, ...past });
    await people.noteLogin(tx, user.id, now);
    await audit.record(tx, {
      actor: actorOf(user),
      action: "identity.logged_in",
      resource: { type: "session", id: session.id },
      after: { methods, agent, decision: risk.decision, reasons: risk.reasons, score: risk.score },
      requestId: visitor.requestId,
      address,
    });
    const newDevice = "token" in device ? device.token.text : null;
    return { user, session, token: token.text, device: newDevice, risk };
  }

  function freshDevice(userId: string) {
    return { id: ids.next("dev"), user_id: userId };
  }

  return {
    knownDevice,
    enterWithin,
    enter: (entering: Entering): Promise<Entered> =>
      db.transaction().execute((tx) => enterWithin(tx, entering)),
    isAlive: (row: SessionRow): boolean =>
      isAlive(
        { lastUsedAt: row.last_used_at, expiresAt: row.expires_at },
        clock.now().getTime(),
        config.sessionIdle,
      ),
  };
}
