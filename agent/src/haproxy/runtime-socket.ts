import { connect } from "node:net";
import type { Command } from "./plan-commands.ts";

const TIMEOUT_MS = 2000;

export interface RuntimeSocket {
  /** One line, and everything that is answered to it. */
  ask(line: string): Promise<string>;
  /** One after the other; throws at the first that is not answered as it ought to be. */
  run(commands: Command[]): Promise<void>;
}

/** HAProxy's command line (management.txt, section 9.3): a connection for each line. */
export function createRuntimeSocket(path: string): RuntimeSocket {
  function ask(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let answer = "";
      const socket = connect(path);
      socket.setEncoding("utf8");
      socket.setTimeout(TIMEOUT_MS, () =>
        socket.destroy(new Error("HAProxy does not answer on its runtime socket")),
      );
      socket.on("data", (text: string) => (answer += text));
      socket.once("error", reject);
      socket.once("end", () => resolve(answer));
      socket.end(`${line}\n`);
    });
  }

  return {
    ask,
    async run(commands) {
      for (const { line, answers } of commands) {
        const answer = await ask(line);
        if (!answers.test(answer)) throw new Error(`HAProxy answered "${answer.trim()}" to "${line}"`);
      }
    },
  };
}

export interface ServerStatus {
  backend: string;
  server: string;
  /** Requests in flight. */
  sessions: number;
  /** How often it was taken out because it did not take a connection. */
  timesDown: number;
}

/** What `show stat` prints of servers: a header line that names the columns, and one line for each. */
export function parseServerStatus(csv: string): ServerStatus[] {
  const [head = "", ...lines] = csv.trim().split("\n");
  const names = head.replace(/^# /, "").split(",");
  const column = (name: string) => names.indexOf(name);
  const [backend, server, sessions, down] = ["pxname", "svname", "scur", "chkdown"].map(column);
  return lines.map((line) => {
    const fields = line.split(",");
    const read = (at: number | undefined) => fields[at ?? -1] ?? "";
    return {
      backend: read(backend),
      server: read(server),
      sessions: Number(read(sessions)),
      timesDown: Number(read(down)),
    };
  });
}
