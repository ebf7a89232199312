import { readFile } from "node:fs/promises";
import { rootCertificates } from "node:tls";
import type { ChannelOf } from "@mainstay/api";
import type { Sender, SenderTools } from "./sender.ts";

const TIMEOUTS = {
  dnsTimeout: 5_000,
  connectionTimeout: 10_000,
  greetingTimeout: 10_000,
  socketTimeout: 15_000,
};
/** RFC 6409 for submission, RFC 8314 for implicit TLS, RFC 5321 for plain SMTP. */
const USUAL_PORTS = { starttls: 587, implicit: 465, none: 25 };
const SUBJECT_LIMIT = 150;

/** Messages as e-mail, by SMTP. */
export function createEmailSender(config: ChannelOf<"email">, { readSecret }: SenderTools): Sender {
  const { to, from, smtp } = config;
  const domain = from.slice(from.lastIndexOf("@") + 1);

  /** STARTTLS is demanded, not hoped for: a server that does not offer it is sent nothing. */
  async function options() {
    const { host, tls, user, password, caFile } = smtp;
    const auth = user && password ? { auth: { user, pass: await readSecret(password) } } : {};
    const ca = caFile === undefined ? {} : { ca: [...rootCertificates, await readFile(caFile, "utf8")] };
    return {
      ...TIMEOUTS,
      ...{ host, port: smtp.port ?? USUAL_PORTS[tls], secure: tls === "implicit" },
      ...{ requireTLS: tls === "starttls", ignoreTLS: tls === "none", tls: ca },
      ...{ disableFileAccess: true, disableUrlAccess: true },
      ...auth,
    };
  }

  return {
    target: to.join(", "),
    async send({ id, thread, title, text }, signal) {
      // Loaded with the first message: it costs 30 MB, and most days none is sent.
      const { createTransport } = await import("nodemailer");
      const transport = createTransport(await options());
      const cut = (): void => transport.close();
      signal.addEventListener("abort", cut, { once: true });
      try {
        const { rejected } = await transport.sendMail({
          ...{ from, to, text, subject: `[mainstay] ${title}`.slice(0, SUBJECT_LIMIT) },
          messageId: `<${id}@${domain}>`,
          references: `<${thread}@${domain}>`,
          // RFC 3834: nobody's holiday notice shall answer.
          headers: { "Auto-Submitted": "auto-generated" },
        });
        const refused = rejected.length > 0 ? `not taken for ${rejected.join(", ")}` : null;
        return { kind: "delivered", note: refused };
      } finally {
        signal.removeEventListener("abort", cut);
        transport.close();
      }
    },
  };
}
