import { watch } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { AppError } from "@mainstay/api";
import type { Log } from "../../kernel/log.ts";
import type { Issued } from "./authority.ts";
import { isKeyOf, readCertificate, type CertificateFacts } from "./domain/certificate.ts";

export interface FileCertificate extends Issued {
  file: string;
  facts: CertificateFacts;
}

export interface FileProblem {
  file: string;
  reason: string;
}

export interface FileCertificates {
  /** Reads every file anew. One that cannot be used now keeps what was read of it before. */
  read(): Promise<void>;
  list(): FileCertificate[];
  problems(): FileProblem[];
  /** Calls back when a file may have changed. */
  watch(onChange: () => void): () => void;
}

export interface FileCertificatesOptions {
  pairs: { cert: string; key: string }[];
  log: Log;
}

/** Certificates that somebody else puts there. */
export function createFileCertificates({ pairs, log }: FileCertificatesOptions): FileCertificates {
  const known = new Map<string, FileCertificate>();
  const problems = new Map<string, FileProblem>();

  async function readPair(pair: { cert: string; key: string }): Promise<void> {
    try {
      known.set(pair.cert, await readFiles(pair));
      problems.delete(pair.cert);
    } catch (error) {
      const reason = error instanceof AppError ? String(error.params["reason"]) : String(error);
      if (problems.get(pair.cert)?.reason !== reason)
        log.warn({ file: pair.cert, reason }, "a certificate file cannot be used");
      problems.set(pair.cert, { file: pair.cert, reason });
    }
  }

  return {
    async read() {
      for (const pair of pairs) await readPair(pair);
    },
    list: () => [...known.values()],
    problems: () => [...problems.values()],
    watch(onChange) {
      // Directories, because files are replaced rather than rewritten.
      const directories = new Set(pairs.flatMap(({ cert, key }) => [path.dirname(cert), path.dirname(key)]));
      const watchers = [...directories].flatMap((directory) => {
        try {
          const watcher = watch(directory, { persistent: false }, onChange);
          return [
            watcher.on("error", (error) => log.warn({ directory, error }, "a directory is not watched")),
          ];
        } catch (error) {
          log.warn({ directory, error }, "a directory of certificates cannot be watched");
          return [];
        }
      });
      return () => watchers.forEach((each) => each.close());
    },
  };
}

/** Throws CERTIFICATE_FILE; no message ever holds the content of a key. */
async function readFiles(pair: { cert: string; key: string }): Promise<FileCertificate> {
  const chain = await readText(pair.cert);
  const { mode } = await stat(pair.key).catch((error: NodeJS.ErrnoException) => refuse(pair.key, error.code));
  if ((mode & 0o007) !== 0) return refuse(pair.key, `other accounts may use the key ${pair.key}`);
  const key = await readText(pair.key);
  const facts = attempt(pair.cert, "it is no PEM certificate", () => readCertificate(chain));
  const isPair = attempt(pair.cert, `${pair.key} is no private key`, () => isKeyOf(chain, key));
  if (!isPair) return refuse(pair.cert, `${pair.key} is the key of another certificate`);
  if (facts.names.length === 0) return refuse(pair.cert, "it names no host (subject alternative names)");
  return { file: pair.cert, chain, key, facts };
}

function readText(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => refuse(file, error.code));
}

function attempt<Value>(file: string, reason: string, act: () => Value): Value {
  try {
    return act();
  } catch {
    return refuse(file, reason);
  }
}

function refuse(file: string, reason = "it cannot be read"): never {
  throw new AppError("CERTIFICATE_FILE", { file, reason });
}
