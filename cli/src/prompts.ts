import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";

/**
 * One line that nobody else shall see: asked for without an echo on a terminal, else all of standard input.
 */
export async function readSecret(question: string): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) return (await text(stdin)).trim();
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silent, terminal: true });
  stderr.write(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once("line", (line) => resolve(line.trim()));
      lines.once("SIGINT", () => reject(new Error("interrupted")));
      lines.once("close", () => resolve(""));
    });
  } finally {
    lines.close();
    stderr.write("\n");
  }
}

/** One line from the terminal, or what is suggested; null where nobody is there. */
export async function askLine(question: string, suggested: string | null): Promise<string | null> {
  if (!process.stdin.isTTY) return suggested;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await new Promise<string>((resolve) => {
      lines.question(`${question}${suggested === null ? "" : ` [${suggested}]`}: `, resolve);
      lines.once("close", () => resolve(""));
    });
    return answer.trim() || suggested;
  } finally {
    lines.close();
  }
}

/** A yes from the terminal; without one nobody can say it. */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await new Promise<string>((resolve) => {
      lines.question(`${question} [y/N] `, resolve);
      lines.once("close", () => resolve(""));
    });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
