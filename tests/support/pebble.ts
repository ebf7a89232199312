import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { Agent, get } from "node:https";
import path from "node:path";
import { createSelfSigned } from "./self-signed.ts";
import { findFreePort } from "./free-port.ts";
import { createTemporaryDirectory } from "./temporary.ts";
import { waitUntil } from "./wait-until.ts";

/** Whether Debian's package pebble is here. */
export const HAS_PEBBLE = spawnSync("pebble", ["-h"]).error === undefined;

/** A certificate authority of Let's Encrypt's test kind, on loopback, for which every name leads here. */
export interface Pebble {
  /** The URL of its ACME directory. */
  directory: string;
  /** PEM file of whoever vouches for that URL. */
  caFile: string;
  /** PEM of the root that vouches for what it issues. */
  root(): Promise<string>;
  /** From here on nobody answers. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export interface PebbleOptions {
  /** Where it looks for answers to HTTP-01 challenges. */
  httpPort: number;
}

export async function startPebble({ httpPort }: PebbleOptions): Promise<Pebble> {
  const home = createTemporaryDirectory();
  const [port, managementPort, dnsPort] = [findFreePort(), findFreePort(), findFreePort()];
  const file = (name: string): string => path.join(home.path, name);
  const own = createSelfSigned({ hosts: ["localhost"], from: new Date(Date.now() - 60_000), days: 1 });
  await writeFile(file("own.crt"), own.cert);
  await writeFile(file("own.key"), own.key);
  const pebble = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${managementPort}`,
    ...{ certificate: file("own.crt"), privateKey: file("own.key"), httpPort, tlsPort: 1 },
  };
  await writeFile(file("pebble.json"), JSON.stringify({ pebble }));
  const dns = `127.0.0.1:${dnsPort}`;
  const unused = `127.0.0.1:${findFreePort()}`;
  const names = ["-dns01", dns, "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""];
  const children = [
    start("pebble-challtestsrv", [...names, ...NO_CHALLENGES, "-management", unused]),
    start("pebble", ["-config", file("pebble.json"), "-dnsserver", dns]),
  ];
  const ask = (url: string): Promise<string> => download(url, own.cert);
  const directory = `https://localhost:${port}/dir`;
  await waitUntil("pebble to answer", () => ask(directory).catch(() => null));
  const kill = async (): Promise<void> => void (await Promise.all(children.map(end)));
  return {
    directory,
    kill,
    caFile: file("own.crt"),
    root: () => ask(`https://localhost:${managementPort}/roots/0`),
    async stop() {
      await kill();
      home.remove();
    },
  };
}

/** The challenge server is used for its DNS alone. */
const NO_CHALLENGES = ["-http01", "", "-https01", "", "-tlsalpn01", ""];

function start(program: string, args: string[]): ChildProcess {
  const env = { ...process.env, PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "5" };
  return spawn(program, args, { env, stdio: "ignore" });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

function download(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = get(url, { agent: new Agent({ ca }) }, (response) => {
      response.toArray().then((chunks: Buffer[]) => resolve(Buffer.concat(chunks).toString()), reject);
    });
    asked.on("error", reject);
  });
}
