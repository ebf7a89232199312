import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";

export interface Mail {
  from: string;
  to: string;
  subject: string;
  text: string;
}

/** Hands a mail to a server on this machine (RFC 5321); throws at the first answer that is no consent. */
export async function sendMail(port: number, { from, to, subject, text }: Mail): Promise<void> {
  const socket = connect({ host: "127.0.0.1", port });
  await once(socket, "connect");
  const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
  async function expect(code: string): Promise<void> {
    const { value } = await answers.next();
    if (!value?.startsWith(code)) throw new Error(`the mail server said ${value ?? "nothing"}, not ${code}`);
  }
  const dialogue: [command: string, code: string][] = [
    ["HELO localhost", "250"],
    [`MAIL FROM:<${from}>`, "250"],
    [`RCPT TO:<${to}>`, "250"],
    ["DATA", "354"],
    [`From: ${from}\r\nTo: ${to}\r\nSubject: ${subject}\r\n\r\n${text}\r\n.`, "250"],
    ["QUIT", "221"],
  ];
  try {
    await expect("220");
    for (const [command, code] of dialogue) {
      socket.write(`${command}\r\n`);
      await expect(code);
    }
  } finally {
    socket.destroy();
  }
}
