import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";
import { platformFile } from "@mainstay/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startMailReceiver, type MailReceiver } from "../../../../tests/support/receivers.ts";
import { createSelfSigned } from "../../../../tests/support/self-signed.ts";
import { createTemporaryDirectory } from "../../../../tests/support/temporary.ts";
import { createSystemClock } from "../../kernel/clock.ts";
import { createSender } from "./kinds.ts";
import { createSecretReader } from "./secret-source.ts";
import type { Outcome } from "./sender.ts";

const PASSWORD = "correct-horse";
const MESSAGE = {
  ...{
    id: "dlv_1",
    thread: "disk-low.64",
    title: "Little space\r\nBcc: evil@example.com, die Größe",
    payload: "{}",
  },
  text: "Since today.\n\nmainstay doctor",
};

let home: ReturnType<typeof createTemporaryDirectory>;
let tls: { cert: string; key: string };
let mail: MailReceiver;

beforeEach(async () => {
  home = createTemporaryDirectory();
  tls = createSelfSigned({ hosts: ["localhost"], from: new Date(Date.now() - 60_000), days: 1 });
  await writeFile(path.join(home.path, "ca.pem"), tls.cert);
  await writeFile(path.join(home.path, "password"), `${PASSWORD}\n`, { mode: 0o600 });
});
afterEach(async () => {
  await mail.close();
  home.remove();
});

/** Demands the right password of whoever logs in. */
const withAuth: NonNullable<Parameters<typeof startMailReceiver>[0]> = {
  authOptional: false,
  onAuth({ username, password }, _, done) {
    if (username === "ops" && password === PASSWORD) done(null, { user: username });
    else done(new Error(`Invalid username or password`));
  },
};
const account = () => ({ user: "ops", password: { file: path.join(home.path, "password") } });

async function send(smtp: object, to = ["ops@example.com"]): Promise<Outcome> {
  const { channels } = platformFile.parse({
    channels: {
      ops: {
        kind: "email",
        from: "mainstay@example.com",
        to,
        smtp: { host: "localhost", port: mail.port, ...smtp },
      },
    },
  });
  const tools = { clock: createSystemClock(), readSecret: createSecretReader({}) };
  const config = channels["ops"];
  if (!config) throw new Error("there is a channel");
  return createSender(config, tools).send(MESSAGE, AbortSignal.timeout(20_000));
}

const caFile = () => path.join(home.path, "ca.pem");

describe("an e-mail", () => {
  it("is sent over STARTTLS with a password, and says what programs and threads need", async () => {
    mail = await startMailReceiver({ ...tls, ...withAuth });
    expect(await send({ ...account(), caFile: caFile() })).toEqual({ kind: "delivered", note: null });
    expect(mail.mails).toMatchObject([{ user: "ops", isSecure: true, to: ["ops@example.com"] }]);
    const content = mail.mails[0]?.content ?? "";
    for (const line of [
      "From: mainstay@example.com",
      "To: ops@example.com",
      "Message-ID: <dlv_1@example.com>",
      "References: <disk-low.64@example.com>",
      "Auto-Submitted: auto-generated",
      "mainstay doctor",
    ]) {
      expect(content).toContain(line);
    }
    expect(content).toMatch(/^Subject: =\?UTF-8\?Q\?=5Bmainstay=5D_Little_space/m);
    expect(content).not.toMatch(/^Bcc:/im);
  });

  it("is sent over implicit TLS", async () => {
    mail = await startMailReceiver({ ...tls, ...withAuth, secure: true });
    const outcome = await send({ ...account(), caFile: caFile(), tls: "implicit" });
    expect([outcome.kind, mail.mails[0]?.isSecure]).toEqual(["delivered", true]);
  });

  it("is not sent in the clear where STARTTLS is asked for and not offered", async () => {
    mail = await startMailReceiver({ hideSTARTTLS: true, disabledCommands: ["STARTTLS"] });
    await expect(send({})).rejects.toThrow(/STARTTLS|TLS/);
    expect(mail.mails).toEqual([]);
  });

  it("is not sent to a server that cannot prove who it is", async () => {
    mail = await startMailReceiver(tls);
    await expect(send({})).rejects.toThrow(/self-signed/);
    expect(mail.mails).toEqual([]);
  });

  it("that is refused says why, and nothing of the password", async () => {
    mail = await startMailReceiver({ ...tls, ...withAuth });
    await writeFile(path.join(home.path, "password"), "wrong-horse");
    const sent = send({ ...account(), caFile: caFile() });
    const words = await sent.then(
      ({ kind }) => kind,
      (error: Error) => error.message,
    );
    expect(words).toMatch(/Invalid/);
    expect(words).not.toContain("horse");
  });

  it("that the server cannot take now is refused", async () => {
    mail = await startMailReceiver({
      onRcptTo: (_, __, done) => done(Object.assign(new Error("try again later"), { responseCode: 451 })),
    });
    await expect(send({ tls: "none" })).rejects.toThrow(/451/);
  });

  it("taken for some of its recipients counts as delivered, with those who did not get it", async () => {
    mail = await startMailReceiver({
      onRcptTo: ({ address }, _, done) =>
        done(address.startsWith("gone") ? Object.assign(new Error("no"), { responseCode: 550 }) : null),
    });
    const outcome = await send({ tls: "none" }, ["ops@example.com", "gone@example.com"]);
    expect(outcome).toEqual({ kind: "delivered", note: "not taken for gone@example.com" });
  });

  it("is not sent with a password file that other accounts may read", async () => {
    mail = await startMailReceiver({ ...tls, ...withAuth });
    await chmod(path.join(home.path, "password"), 0o644);
    await expect(send({ ...account(), caFile: caFile() })).rejects.toThrow(/other accounts may use it/);
  });
});
