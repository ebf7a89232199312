/**
 * Starts maildev: its pages, API and WebSockets on 127.0.0.1:$PORT, SMTP on 127.0.0.1:$SMTP_PORT, its
 * mails in $MAIL_DIRECTORY. Mail does not go through the proxy, so both releases of a rollout want the
 * same port: the new one takes it over as soon as the old one has let go of it. Senders try again
 * meanwhile (RFC 5321, 4.5.4.1). $OUTGOING_HOST, if there is one, is where it forwards a mail on demand.
 */
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const TAKE_OVER_MS = 200;
const HOST = "127.0.0.1";

const require = createRequire(import.meta.url);
const startMaildev = require("maildev");
const web = require("maildev/lib/web.js");

const mailDirectory =
  process.env.MAIL_DIRECTORY ?? join(tmpdir(), `mainstay-example-maildev-${process.getuid()}`);
mkdirSync(mailDirectory, { recursive: true, mode: 0o700 });

const mailbox = startMaildev({
  ip: HOST,
  web: Number(process.env.PORT ?? 1080),
  smtp: Number(process.env.SMTP_PORT ?? 1025),
  mailDirectory,
  outgoingHost: process.env.OUTGOING_HOST,
  silent: true,
});
// Longer than any proxy keeps an idle connection, so that the proxy is the one to close it.
web.server.keepAliveTimeout = 60_000;

function listen() {
  mailbox.smtp.server.listen(mailbox.port, HOST);
}

mailbox.smtp.removeAllListeners("error");
mailbox.smtp.on("error", (error) => {
  if (error.code === "EADDRINUSE") setTimeout(listen, TAKE_OVER_MS);
  else mailbox.onSmtpError(error);
});
mailbox.smtp.server.on("listening", () => {
  // What arrived at the old release since this one started.
  mailbox.loadMailsFromDirectory();
  console.log(`SMTP on ${HOST}:${mailbox.port}`);
});
listen();
