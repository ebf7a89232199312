import { chown, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { readKeyFile, usualKeyFile, writeKeyFile } from "@mainstay/server";
import { formatKeys, parseKeys, VaultError, type Key } from "@mainstay/vault";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { findPatient } from "../doctor/patient.ts";
import { createThisMachine } from "../install/machine.ts";
import { listOption } from "../options.ts";
import { readSecret } from "../prompts.ts";
import type { WithOwnContext } from "./install.ts";

interface PlaceOptions {
  config?: string;
  dataDirectory?: string;
}

/**
 * `mainstay secrets recovery-key …` and `recover`: on the server's machine, also while the server is down.
 */
export function addRecovery(secrets: Command, withOwnContext: WithOwnContext): void {
  const recovery = secrets
    .command("recovery-key")
    .description("What the secrets can be read with when this machine is lost; asks no server");
  withPlace(recovery.command("show"))
    .description("Print the keys, to be written down")
    .action((options: PlaceOptions) =>
      withOwnContext(async (context) => {
        const keys = await keysAt(await findPlace(options));
        const lines = formatKeys(keys).trimEnd();
        show(context, { keys: lines.split("\n") }, () => lines);
      }),
    );
  withPlace(recovery.command("export"))
    .requiredOption("--recipient <age1…>", "who can open it (repeatable)", listOption, [])
    .description("Print the keys as an age file that the owners of these recipients can open")
    .addHelpText(
      "after",
      "\nExample:\n  mainstay secrets recovery-key export --recipient age1… > recovery.age\n  age --decrypt --identity key.txt recovery.age | sudo mainstay secrets recover",
    )
    .action((options: PlaceOptions & { recipient: string[] }) =>
      withOwnContext((context) => exportRecoveryKey(context, options)),
    );
  withPlace(secrets.command("recover"))
    .option("--age <file>", "an exported recovery key, instead of its lines on standard input")
    .option("--identity <file>", "the identity of age that opens it")
    .description("Give a server whose key file is lost its keys again; then start the server")
    .addHelpText(
      "after",
      "\nExamples:\n  sudo mainstay secrets recover < recovery-key.txt\n  sudo mainstay secrets recover --age recovery.age --identity key.txt",
    )
    .action((options: RecoverOptions) => withOwnContext((context) => recover(context, options)));
}

function withPlace(command: Command): Command {
  return command
    .option("--config <file>", "instead of mainstay.platform.yaml in this directory, or the installed one")
    .option("--data-directory <path>", "of a platform that was started with it");
}

interface Place {
  file: string;
  dataDirectory: string;
  /** Keys that the configuration holds itself. */
  written: string | null;
  /** A passphrase is what opens it: there is no key to be kept. */
  isPassphrase: boolean;
}

async function findPlace(options: PlaceOptions): Promise<Place> {
  const { checked, dataDirectory } = await findPatient(createThisMachine(), options);
  const settings = checked.loaded?.config.secrets;
  return {
    dataDirectory,
    file: settings?.keyFile ?? usualKeyFile(dataDirectory),
    written: settings?.key ?? null,
    isPassphrase: (settings?.passphrase ?? settings?.passphraseFile ?? null) !== null,
  };
}

async function keysAt({ file, written, isPassphrase }: Place): Promise<Key[]> {
  const keys = [...(await readKeyFile(file)), ...(written === null ? [] : parse(written))];
  if (keys.length > 0) return keys;
  if (isPassphrase)
    throw new CliError("the key is made of the passphrase", EXIT.failed, "Keep that elsewhere.");
  const remedy =
    "Run this on the server's machine, with --config or --data-directory where it runs elsewhere.";
  throw new CliError(`there is no key in ${file}`, EXIT.failed, remedy);
}

async function exportRecoveryKey(
  context: Context,
  options: PlaceOptions & { recipient: string[] },
): Promise<void> {
  const keys = await keysAt(await findPlace(options));
  // Loaded here alone: it takes 43 MB.
  const { exportKeys } = await import("@mainstay/vault/age");
  const file = await exportKeys({ recipients: options.recipient }, keys).catch(refuse);
  show(context, { file, keys: keys.map(({ id }) => id) }, () => file.trimEnd());
}

interface RecoverOptions extends PlaceOptions {
  age?: string;
  identity?: string;
}

async function recover(context: Context, options: RecoverOptions): Promise<void> {
  const { file, dataDirectory } = await findPlace(options);
  const brought = options.age === undefined ? parse(await readLines(context)) : await openAge(options);
  if (brought.length === 0) throw new CliError("there is no key in it", EXIT.usage);
  const there = await readKeyFile(file);
  const isNew = ({ id }: Key) => !there.some((each) => each.id === id);
  await writeKeyFile(file, [...there, ...brought.filter(isNew)]);
  // Root may have written what belongs to the account of the server.
  const { uid, gid } = await stat(dataDirectory);
  const usual = usualKeyFile(dataDirectory);
  for (const each of file === usual ? [path.dirname(file), file] : [file]) await chown(each, uid, gid);
  const ids = brought.map(({ id }) => id);
  const words = `${ids.join(", ")} written to ${file}; start the server: it says if another key is missing`;
  show(context, { file, keys: ids }, () => words);
}

async function openAge({ age = "", identity }: RecoverOptions): Promise<Key[]> {
  if (identity === undefined) throw new CliError("--age needs --identity", EXIT.usage);
  const { importKeys } = await import("@mainstay/vault/age");
  const lines = (await readFile(identity, "utf8")).split("\n").map((line) => line.trim());
  const identities = lines.filter((line) => line !== "" && !line.startsWith("#"));
  return importKeys({ identities }, await readFile(age)).catch(refuse);
}

function readLines(context: Context): Promise<string> {
  return process.stdin.isTTY ? readSecret("The recovery key (vault-key-1 …): ") : context.input();
}

function parse(text: string): Key[] {
  try {
    return parseKeys(text);
  } catch (error) {
    return refuse(error);
  }
}

function refuse(error: unknown): never {
  if (error instanceof VaultError) throw new CliError(error.message, EXIT.failed);
  throw error;
}
