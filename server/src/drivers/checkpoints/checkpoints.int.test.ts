import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { createVerifier, openCheckpoint, openNote } from "@mainstay/tlog";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestHttp } from "../../../../tests/support/http.ts";
import { waitUntil } from "../../../../tests/support/wait-until.ts";
import { addAuditRoutes, type AuditLogDependencies } from "../../core/audit/index.ts";
import { openAuditHouse, ORIGIN, type AuditHouse } from "../../../../tests/support/audit-house.ts";
import { createSystemClock } from "../../kernel/clock.ts";
import type { Http } from "../../kernel/http/index.ts";
import { createKeepers } from "./index.ts";

const clock = createSystemClock();
const SECOND_MS = 1_000;

let house: AuditHouse;
/** What channels were told. */
let sent: { name: string; payload: unknown }[];
let isDown: boolean;

beforeEach(async () => {
  [sent, isDown] = [[], false];
  house = await openAuditHouse();
});
afterEach(() => house.close());

const channels = {
  async send(name: string, message: { payload: string }) {
    if (isDown) throw new Error("answered 503");
    sent.push({ name, payload: JSON.parse(message.payload) });
  },
};

function start(configs: Parameters<typeof createKeepers>[0], more: Partial<AuditLogDependencies> = {}) {
  return house.startLog({ keepers: createKeepers(configs, { channels, clock }), ...more });
}

async function keeper() {
  const [only] = (await house.log().status()).keepers;
  if (only === undefined) throw new Error("there is no keeper");
  return only;
}

describe("a file", () => {
  test("holds the newest checkpoint, and never one that does not go on from the last", async () => {
    const file = path.join(house.dataDirectory, "kept.checkpoint");
    await house.record(10);
    await start({ nas: { kind: "file", path: file, every: SECOND_MS } });
    await waitUntil("the checkpoint", async () => (await keeper()).size === 10);
    const { vkey } = await house.log().status();
    const trust = { origin: ORIGIN, keys: [createVerifier(vkey ?? "")] };
    expect(openCheckpoint(await readFile(file), trust).size).toBe(10);
    await house.record(5);
    await waitUntil("the next one", async () => (await keeper()).size === 15);
    const later = await readFile(file, "utf8");
    await writeFile(file, later.replace("\n15\n", "\n16\n"));
    await house.record(5);
    await waitUntil("the refusal", async () => (await keeper()).problem);
    expect(await keeper()).toMatchObject({ kept: 2, failures: 1, failed: 1 });
    expect(await house.log().problems()).toMatchObject([{ kind: "checkpoint-failing", subject: "nas" }]);
    expect(await readFile(file, "utf8")).toContain("\n16\n");
  });
});

describe("a channel", () => {
  test("is told of a checkpoint, and again after it was down", async () => {
    isDown = true;
    await house.record(3);
    await start({ mail: { kind: "channel", channel: "ops-mail", every: SECOND_MS } });
    const { problem, nextAt } = await waitUntil("the failure", async () => {
      const state = await keeper();
      return state.problem !== null && state;
    });
    expect(problem).toBe("answered 503");
    expect(nextAt).not.toBe(null);
    isDown = false;
    await house.stopLog();
    await house.database.pool.query("update audit.keepers set next_at = null");
    await start({ mail: { kind: "channel", channel: "ops-mail", every: SECOND_MS } });
    await waitUntil("the message", () => sent.length > 0);
    expect(sent[0]).toMatchObject({
      name: "ops-mail",
      payload: { type: "audit.checkpoint_signed", subject: ORIGIN, data: { size: 3 } },
    });
    await waitUntil("the end of the problem", async () => (await keeper()).problem === null);
  });
});

describe("another Mainstay as a witness", () => {
  let other: AuditHouse;
  let http: Http;

  beforeEach(async () => {
    other = await openAuditHouse();
    await house.record(10);
    await house.startLog();
    await house.integrated(10);
    const { vkey } = await house.log().status();
    const auditLog = await other.startLog({ origin: "other.example/audit", witnessOf: [vkey ?? ""] });
    ({ http } = createTestHttp({ bodyLimit: 65_536 }));
    const { audit, database } = other;
    addAuditRoutes(http, { audit, auditLog, listen: database.listen, clock, isPublic: false });
    await http.start();
  });
  afterEach(async () => {
    await http.stop();
    await other.close();
  });

  async function witnessed() {
    const { witnessVkey } = await other.log().status();
    const url = `${http.address()}/audit/witness`;
    return { kind: "witness", url, vkey: witnessVkey ?? "", every: SECOND_MS } as const;
  }

  test("keeps checkpoints, cosigns them, and sees the log go on", async () => {
    await start({ friend: await witnessed() });
    await waitUntil("the first", async () => (await keeper()).size === 10);
    await house.record(90);
    await waitUntil("the next", async () => (await keeper()).size === 100);
    const { cosignature } = await keeper();
    const checkpoint = Buffer.from(await house.log().file("checkpoint")).toString();
    const { witnessVkey, witnessed: seen } = await other.log().status();
    const { signatures } = openNote(checkpoint + cosignature, [createVerifier(witnessVkey ?? "")]);
    expect(signatures).toHaveLength(1);
    expect(seen).toMatchObject([{ origin: ORIGIN, size: 100 }]);
  });

  test("refuses a history that is another one, though its key is right", async () => {
    await start({ friend: await witnessed() });
    await waitUntil("the first", async () => (await keeper()).size === 10);
    await house.stopLog();
    await other.database.pool.query(
      "update audit.witnessed set note = replace(note, split_part(note, E'\\n', 3), split_part(note, E'\\n', 3))",
    );
    await house.database.pool.query("set session_replication_role = replica");
    await house.close();
    house = await openAuditHouse();
    await house.record(20);
    await start({ friend: await witnessed() });
    await waitUntil("the refusal", async () => (await keeper()).problem);
    expect((await keeper()).problem).toMatch(/answered 40[34]/);
  });

  test("says what is wrong with a request", async () => {
    const ask = async (body: string) => {
      const response = await fetch(`${http.address()}/audit/witness/add-checkpoint`, {
        method: "POST",
        headers: { "content-type": "text/plain" },
        body,
      });
      return [response.status, response.headers.get("content-type"), await response.text()];
    };
    const note = Buffer.from(await house.log().file("checkpoint")).toString();
    expect((await ask("what?"))[0]).toBe(400);
    expect((await ask(`old 0\n\n${note.replace(ORIGIN, "another.example")}`))[0]).toBe(404);
    expect((await ask(`old 0\n\n${note.replace("\n10\n", "\n11\n")}`))[0]).toBe(403);
    expect((await ask(`old 11\n\n${note}`))[0]).toBe(400);
    expect(await ask(`old 5\n\n${note}`)).toEqual([409, "text/x.tlog.size", "0\n"]);
    expect((await ask(`old 0\n\n${note}`))[0]).toBe(200);
    expect(await ask(`old 0\n\n${note}`)).toEqual([409, "text/x.tlog.size", "10\n"]);
    expect((await ask(`old 10\n\n${note}`))[0]).toBe(200);
  });
});
