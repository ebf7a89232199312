#!/usr/bin/env node
// Verifies an audit log without Mainstay: this file, Node 18.11 or newer, and nothing else.
// What it reads is specified in docs/formats/log.md. It exits with 0 when everything holds, 1 when something
// does not, and 2 when it was asked wrongly.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

const USAGE = `Usage: node verify-log.mjs --key <vkey> [options] [<folder or URL of the log>]

  --key <vkey>          the key of the log, <name>+<id>+<base64>; repeat it while a key is replaced
  --origin <name>       the name of the log; the name of the first key if not given
  --retained <file>     a checkpoint that you kept: the log has to begin with it; may be repeated
  --proof <file>        a .tlog-proof file to be verified; may be repeated
  --entry <file>        the entry that the proof is about; without it, the log itself is asked
  --token <key>         an API key, for a log that is not public; also MAINSTAY_TOKEN

  node verify-log.mjs --key audit.example+1a2b3c4d+AbCd… --retained kept.txt https://mainstay.example/audit/log
  node verify-log.mjs --key audit.example+1a2b3c4d+AbCd… --proof 17.tlog-proof --entry 17.json`;

const WIDTH = 256;
const HASH_BYTES = 32;
/** 256 entries of 65,535 bytes, each behind two bytes of length. */
const MAX_FILE_BYTES = WIDTH * (2 + 65_535);
const SPKI_HEADER = Buffer.from("302a300506032b6570032100", "hex");

class Refusal extends Error {}
class WrongUsage extends Error {}

function demand(condition, message) {
  if (!condition) throw new Refusal(message);
}

// Hashes: RFC 6962 §2.1

function sha256(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const hashLeaf = (entry) => sha256(Buffer.of(0), entry);
const hashNode = (left, right) => sha256(Buffer.of(1), left, right);

/** Merkle Tree Hash over hashes of trees of one size. */
function hashTree(hashes) {
  if (hashes.length === 0) return sha256();
  if (hashes.length === 1) return hashes[0];
  let middle = 1;
  while (middle * 2 < hashes.length) middle *= 2;
  return hashNode(hashTree(hashes.slice(0, middle)), hashTree(hashes.slice(middle)));
}

/** RFC 9162 §2.1.3.2 */
function isIncluded({ index, size, leaf, proof, root }) {
  if (index >= size) return false;
  let [node, last, hash] = [BigInt(index), BigInt(size - 1), leaf];
  for (const sibling of proof) {
    if (last === 0n) return false;
    if (node % 2n === 1n || node === last) {
      hash = hashNode(sibling, hash);
      while (node % 2n === 0n && node !== 0n) [node, last] = [node >> 1n, last >> 1n];
    } else {
      hash = hashNode(hash, sibling);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  return last === 0n && hash.equals(root);
}

// Signed notes and checkpoints: https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint

function decodeBase64(text, what) {
  const bytes = Buffer.from(text, "base64");
  demand(bytes.toString("base64") === text, `${what} is not base64`);
  return bytes;
}

function decodeHash(text, what) {
  const bytes = decodeBase64(text, what);
  demand(bytes.length === HASH_BYTES, `${what} does not have ${HASH_BYTES} bytes`);
  return bytes;
}

function decodeCount(text, what) {
  demand(/^(0|[1-9][0-9]*)$/.test(text) && Number.isSafeInteger(Number(text)), `${what} is not a number`);
  return Number(text);
}

function parseKey(vkey) {
  const [, name, id, base64] = /^([^+\s]+)\+([0-9a-f]{8})\+(.*)$/.exec(vkey) ?? [];
  if (name === undefined) throw new WrongUsage("the key must be <name>+<eight hexadecimal digits>+<base64>");
  const bytes = Buffer.from(base64, "base64");
  const isFitting = sha256(`${name}\n`, bytes).subarray(0, 4).toString("hex") === id;
  if (bytes.length !== 1 + HASH_BYTES || bytes[0] !== 1 || !isFitting) {
    throw new WrongUsage("the key is no Ed25519 key of signed notes, or was not copied as a whole");
  }
  const der = Buffer.concat([SPKI_HEADER, bytes.subarray(1)]);
  return { name, id, key: createPublicKey({ key: der, format: "der", type: "spki" }) };
}

/** The text of a note, which one of the keys has to have signed. */
function openNote(bytes, keys) {
  const note = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  demand(Buffer.from(note).equals(bytes), "the checkpoint is not UTF-8");
  const end = note.lastIndexOf("\n\n") + 1;
  demand(end > 0 && note.endsWith("\n"), "the checkpoint has no signatures");
  const text = note.slice(0, end);
  let signatures = 0;
  for (const line of note.slice(end + 1, -1).split("\n")) {
    const [, name, base64] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
    demand(name !== undefined, "a signature of the checkpoint cannot be read");
    const signature = decodeBase64(base64, "a signature");
    const id = signature.subarray(0, 4).toString("hex");
    const known = keys.find((each) => each.name === name && each.id === id);
    if (known === undefined) continue;
    demand(
      verify(null, Buffer.from(text), known.key, signature.subarray(4)),
      `the signature of ${name} is wrong`,
    );
    signatures += 1;
  }
  demand(signatures > 0, "the key of the log has not signed the checkpoint");
  return text;
}

function openCheckpoint(bytes, { keys, origin }) {
  const lines = openNote(bytes, keys).split("\n").slice(0, -1);
  demand(
    lines.length >= 3 && !lines.includes(""),
    "the checkpoint has fewer than three lines, or empty ones",
  );
  demand(lines[0] === origin, `the checkpoint is of the log ${lines[0]}, not of ${origin}`);
  return { size: decodeCount(lines[1], "the size"), root: decodeHash(lines[2], "the root hash") };
}

// Files of the log: https://c2sp.org/tlog-tiles

function tilePath(level, index, width) {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.{3}/g);
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
  return `tile/${level}/${path}${width === WIDTH ? "" : `.p/${width}`}`;
}

/** Null for a file that does not exist. */
async function readFromUrl(base, path, token) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(new URL(path, base.endsWith("/") ? base : `${base}/`), { headers });
  if (response.status === 404 || response.status === 410) return null;
  demand(response.ok, `${path} was answered with status ${response.status}`);
  const chunks = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    demand(length <= MAX_FILE_BYTES, `${path} is longer than any file of a log`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function createReader(place, token) {
  if (/^https?:\/\//.test(place)) return (path) => readFromUrl(place, path, token);
  return async (path) => {
    try {
      return await readFile(join(place, path));
    } catch (error) {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
      throw error;
    }
  };
}

/** A tile or a bundle, cut into its parts; the full one begins with what was partial. */
async function readParts(read, { level, index, width }, cut) {
  for (const each of new Set([width, WIDTH])) {
    const path = tilePath(level, index, each);
    const bytes = await read(path);
    if (bytes === null) continue;
    const parts = cut(bytes, path);
    demand(parts.length === each, `${path} holds ${parts.length} instead of ${each}`);
    return parts.slice(0, width);
  }
  throw new Refusal(`${tilePath(level, index, width)} does not exist`);
}

function cutHashes(bytes, path) {
  demand(bytes.length % HASH_BYTES === 0, `${path} ends within a hash`);
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, at) =>
    bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  );
}

function cutEntries(bytes, path) {
  const entries = [];
  for (let at = 0; at < bytes.length;) {
    demand(at + 2 <= bytes.length, `${path} ends within an entry`);
    const end = at + 2 + bytes.readUInt16BE(at);
    demand(end <= bytes.length, `${path} ends within an entry`);
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return entries;
}

/** A tree that grows; `filled` gets every tile above the lowest level as soon as it is complete. */
function createTree() {
  const levels = [];
  let size = 0;
  const add = (level, hash) => {
    levels[level] ??= { index: 0, hashes: [] };
    const tile = levels[level];
    tile.hashes.push(hash);
    if (tile.hashes.length < WIDTH) return [];
    const filled = [{ level, index: tile.index, hashes: tile.hashes }];
    levels[level] = { index: tile.index + 1, hashes: [] };
    return [...filled, ...add(level + 1, hashTree(tile.hashes))];
  };
  return {
    size: () => size,
    add(hash) {
      size += 1;
      return add(0, hash);
    },
    partials: () => levels.flatMap((tile, level) => (tile.hashes.length === 0 ? [] : [{ level, ...tile }])),
    /** What stands further left is larger: from the right edge, each hash goes to the left of all so far. */
    root() {
      let right = null;
      for (const { hashes } of levels) {
        const all = right === null ? hashes : [...hashes, right];
        right = all.length === 0 ? null : hashEdge(all, right !== null);
      }
      return right ?? sha256();
    },
  };
}

/** Perfect trees of one size, and behind them perhaps a smaller one. */
function hashEdge(hashes, hasTail) {
  const tail = hasTail ? hashes.at(-1) : null;
  const perfect = hasTail ? hashes.slice(0, -1) : hashes;
  const stack = [];
  for (let at = 0; at < perfect.length;) {
    let width = 1;
    while (at + width * 2 <= perfect.length) width *= 2;
    stack.push(hashTree(perfect.slice(at, at + width)));
    at += width;
  }
  if (tail !== null) stack.push(tail);
  return stack.reduceRight((right, left) => hashNode(left, right));
}

/** Checks everything; answers the leaf hashes at the indices that were asked for. */
async function verifyLog(read, checkpoint, { retained, indices }) {
  const leaves = new Map();
  const tree = createTree();
  const marks = [checkpoint, ...retained];
  const compareRoots = () => {
    for (const { size, root, name = "the checkpoint" } of marks) {
      demand(
        size !== tree.size() || root.equals(tree.root()),
        `the first ${size} entries are not those of ${name}`,
      );
    }
  };
  const sizes = new Set(marks.map(({ size }) => size));
  const compareTiles = async (tiles) => {
    for (const { level, index, hashes } of tiles) {
      const shown = await readParts(read, { level, index, width: hashes.length }, cutHashes);
      demand(
        Buffer.concat(shown).equals(Buffer.concat(hashes)),
        `${tilePath(level, index, hashes.length)} is altered`,
      );
    }
  };
  compareRoots();
  for (let start = 0; start < checkpoint.size; start += WIDTH) {
    const place = { index: start / WIDTH, width: Math.min(WIDTH, checkpoint.size - start) };
    const entries = await readParts(read, { ...place, level: "entries" }, cutEntries);
    const tile = await readParts(read, { ...place, level: 0 }, cutHashes);
    const filled = [];
    for (const [at, entry] of entries.entries()) {
      const leaf = hashLeaf(entry);
      demand(
        leaf.equals(tile[at]),
        `entry ${start + at} is not the one of ${tilePath(0, place.index, place.width)}`,
      );
      if (indices.has(start + at)) leaves.set(start + at, leaf);
      filled.push(...tree.add(leaf));
      if (sizes.has(tree.size())) compareRoots();
    }
    await compareTiles(filled);
  }
  await compareTiles(tree.partials());
  return leaves;
}

// Proof files: https://c2sp.org/tlog-proof

function parseProof(bytes, path) {
  const text = bytes.toString("utf8");
  const end = text.indexOf("\n\n");
  const [header, ...lines] = text.slice(0, Math.max(end, 0)).split("\n");
  demand(header === "c2sp.org/tlog-proof@v1", `${path} is no proof file`);
  if (lines[0]?.startsWith("extra ")) lines.shift();
  const line = lines.shift() ?? "";
  demand(line.startsWith("index "), `${path} does not name the entry`);
  return {
    path,
    index: decodeCount(line.slice("index ".length), "the index"),
    proof: lines.map((each) => decodeHash(each, "a hash of the proof")),
    checkpoint: bytes.subarray(Buffer.byteLength(text.slice(0, end + 2))),
  };
}

function verifyProof({ path, index, proof, checkpoint }, leaf, trust) {
  const { size, root } = openCheckpoint(checkpoint, trust);
  demand(leaf !== undefined, `${path} is about entry ${index}, which the log does not have`);
  demand(
    isIncluded({ index, size, leaf, proof, root }),
    `${path} does not prove that the entry is number ${index}`,
  );
  return `${path}: entry ${index} of the log of ${size}`;
}

function readArguments(args) {
  const several = { type: "string", multiple: true, default: [] };
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      key: several,
      retained: several,
      proof: several,
      origin: { type: "string" },
      entry: { type: "string" },
      token: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const [place] = positionals;
  if (values.help) return { ...values, place };
  if (values.key.length === 0) throw new WrongUsage("which key has signed the log? --key <vkey>");
  if (positionals.length > 1) throw new WrongUsage("one log at a time");
  const isOffline = values.proof.length === 1 && values.entry !== undefined;
  if (place === undefined && !isOffline) throw new WrongUsage("where is the log? A folder, or an address");
  if (values.entry !== undefined && !isOffline) throw new WrongUsage("--entry goes with one --proof");
  return { ...values, place };
}

async function main(options) {
  const keys = options.key.map(parseKey);
  const trust = { keys, origin: options.origin ?? keys[0].name };
  const proofs = await Promise.all(options.proof.map(async (path) => parseProof(await readFile(path), path)));
  let leaves = new Map();
  if (options.place !== undefined) {
    const read = createReader(options.place, options.token ?? process.env.MAINSTAY_TOKEN);
    const retained = await Promise.all(
      options.retained.map(async (path) => ({ ...openCheckpoint(await readFile(path), trust), name: path })),
    );
    const note = await read("checkpoint");
    demand(note !== null, "there is no checkpoint");
    const checkpoint = openCheckpoint(note, trust);
    for (const { size, name } of retained) {
      demand(size <= checkpoint.size, `the log has ${checkpoint.size} entries, in ${name} it had ${size}`);
    }
    leaves = await verifyLog(read, checkpoint, {
      retained,
      indices: new Set(proofs.map(({ index }) => index)),
    });
    const kept = retained.length === 0 ? "" : `, and goes on from ${retained.length} kept`;
    console.log(
      `ok: ${checkpoint.size} entries of ${trust.origin}, root ${checkpoint.root.toString("base64")}${kept}`,
    );
  }
  for (const each of proofs) {
    const leaf =
      options.entry === undefined ? leaves.get(each.index) : hashLeaf(await readFile(options.entry));
    console.log(`ok: ${verifyProof(each, leaf, trust)}`);
  }
}

try {
  const options = readArguments(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else await main(options);
} catch (error) {
  const isUsage = error instanceof WrongUsage || String(error.code).startsWith("ERR_PARSE_ARGS");
  console.error(isUsage ? `${error.message}\n\n${USAGE}` : `FAILED: ${error.message}`);
  process.exitCode = isUsage ? 2 : 1;
}
