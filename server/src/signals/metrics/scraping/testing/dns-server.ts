import { createSocket } from "node:dgram";
import { once } from "node:events";

export interface SrvRecord {
  port: number;
  target: string;
}

/** What the server answers, by name; a name that is missing does not exist. */
export interface Zone {
  a: Record<string, string[]>;
  srv: Record<string, SrvRecord[]>;
}

export interface DnsServer {
  /** As `Resolver.setServers` takes it. */
  address: string;
  /** May be changed at any time. */
  zone: Zone;
  /** From here on it answers that it failed. */
  isBroken: boolean;
  close(): Promise<void>;
}

const TYPE = { a: 1, srv: 33 };
const INTERNET = 1;
const HEADER_BYTES = 12;
const RESPONSE = 0x8180;
const SERVER_FAILURE = 2;
const NO_SUCH_NAME = 3;
/** Points to the name in the question (RFC 1035, section 4.1.4). */
const SAME_NAME = 0xc00c;

/** A name server on loopback that knows A and SRV (RFC 1035, RFC 2782). */
export async function startDnsServer(zone: Zone): Promise<DnsServer> {
  const socket = createSocket("udp4");
  socket.on("message", (question, { port, address }) => {
    socket.send(answer(question, server), port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const server: DnsServer = {
    address: `127.0.0.1:${socket.address().port}`,
    zone,
    isBroken: false,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
  return server;
}

function answer(question: Buffer, { zone, isBroken }: DnsServer): Buffer {
  const { name, end } = readName(question);
  const type = question.readUInt16BE(end);
  const rows = type === TYPE.srv ? zone.srv[name]?.map(srvData) : zone.a[name]?.map(addressData);
  const isKnown = name in zone.a || name in zone.srv;
  const code = isBroken ? SERVER_FAILURE : isKnown ? 0 : NO_SUCH_NAME;
  const records = isBroken ? [] : (rows ?? []);
  const header = Buffer.alloc(HEADER_BYTES);
  question.copy(header, 0, 0, 2);
  header.writeUInt16BE(RESPONSE | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([
    header,
    question.subarray(HEADER_BYTES, end + 4),
    ...records.map((data) => record(type, data)),
  ]);
}

function readName(message: Buffer): { name: string; end: number } {
  const parts: string[] = [];
  let at = HEADER_BYTES;
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    parts.push(message.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: parts.join(".").toLowerCase(), end: at + 1 };
}

function record(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt16BE(SAME_NAME, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(INTERNET, 4);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function addressData(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}

function srvData({ port, target }: SrvRecord): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt16BE(port, 4);
  const labels = target.split(".").map((each) => Buffer.concat([Buffer.of(each.length), Buffer.from(each)]));
  return Buffer.concat([head, ...labels, Buffer.of(0)]);
}
