import { AppError, type CertificateResource, type PlatformConfig } from "@mainstay/api";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Origin } from "../../kernel/http/index.ts";
import { createWake } from "../../kernel/wake.ts";
import type { AgentLink } from "../instances/index.ts";
import { coversHost } from "./domain/certificate.ts";
import { whyNotOrdered } from "./domain/schedule.ts";
import type { FileCertificates } from "./file-certificates.ts";
import type { Held } from "./issued-certificates.ts";
import { createOrders, type OrdersDependencies } from "./orders.ts";
import { createPublisher, type PublisherDependencies } from "./publisher.ts";
import { fromAuthority, fromBrokenFile, fromFile, withoutCertificate } from "./resources.ts";
import type { CertificateRow } from "./store.ts";

export interface CertificatesDependencies extends OrdersDependencies {
  agent: OrdersDependencies["agent"] & PublisherDependencies["agent"];
  config: Pick<PlatformConfig, "proxy" | "server" | "acme">;
  files: FileCertificates;
  link: Pick<AgentLink, "hosts" | "observed" | "onNews">;
}

export interface Certificates extends LongRunning {
  /** Every host of a route, and what stands for it. */
  list(): Promise<CertificateResource[]>;
  show(host: string): Promise<CertificateResource>;
  /** Orders a new one now, whenever it would be due. */
  renew(host: string, origin: Origin): Promise<CertificateResource>;
  /** Reads the files again, as it does by itself when they change. */
  reload(origin: Origin): Promise<CertificateResource[]>;
}

/** Only a safety net: news of routes, of files and of the agent wake the loop. */
const LOOK_MS = 60_000;
const RETRY_MS = 1_000;
/** How soon it is looked whether another server has finished its order. */
const LEASE_LOOK_MS = 5_000;

/** Certificates of the data plane: from files, from an authority, and on their way to the agent. */
export function createCertificates(dependencies: CertificatesDependencies): Certificates {
  const { store, issued, files, link, config, clock, log, audit, db } = dependencies;
  const orders = createOrders(dependencies);
  const publisher = createPublisher(dependencies);
  const wake = createWake(clock);
  const stopping = new AbortController();
  const endings: (() => void)[] = [];
  let looking: Promise<void> = Promise.resolve();
  let heard = "";
  let isStumbling = false;

  /** Why there is no asking an authority at all; null when there is. */
  function whyOff(): string | null {
    if (config.proxy.tls.port === null) return "HTTPS is off (proxy.tls.port)";
    return config.acme.agreeToTerms ? null : "the authority's terms are not agreed to (acme.agreeToTerms)";
  }

  const fileFor = (host: string) => files.list().find((each) => coversHost(each.facts.names, host));

  function orderedHosts(): string[] {
    if (whyOff() !== null) return [];
    return link.hosts().filter((host) => whyNotOrdered(host) === null && !fileFor(host));
  }

  /** One look at everything; answers how long nothing will be due. */
  async function look(): Promise<number> {
    await files.read();
    const hosts = orderedHosts();
    await store.ensure(hosts, clock.now());
    const rows = await store.rows();
    const held = new Map<string, Held>();
    for (const row of rows) {
      const certificate = await issued.held(row);
      if (certificate) held.set(row.host, certificate);
    }
    const bootId = link.observed()?.bootId;
    if (bootId === undefined) return RETRY_MS;
    const fromFiles = files.list().map(({ chain, key, facts }) => ({ hosts: facts.names, chain, key }));
    await publisher.publish([...held.values(), ...fromFiles], bootId);
    return orderNext(
      rows.filter((row) => hosts.includes(row.host)),
      held,
    );
  }

  async function orderNext(rows: CertificateRow[], held: ReadonlyMap<string, Held>): Promise<number> {
    const dueMs = (row: CertificateRow): number => {
      const isLost = row.chain !== null && row.attempts === 0 && !held.has(row.host);
      return isLost ? 0 : row.next_attempt_at.getTime() - clock.now().getTime();
    };
    const [next] = rows.toSorted((a, b) => dueMs(a) - dueMs(b));
    if (!next) return LOOK_MS;
    if (dueMs(next) > 0) return Math.min(dueMs(next), LOOK_MS);
    return (await orders.place(next)) ? 0 : LEASE_LOOK_MS;
  }

  async function lookAgainAndAgain(): Promise<void> {
    while (!stopping.signal.aborted) {
      const pauseMs = await look().then(
        (ms) => {
          isStumbling = false;
          return ms;
        },
        (error: unknown) => {
          if (!isStumbling) log.warn({ error }, "certificates could not be looked after; trying again");
          isStumbling = true;
          return RETRY_MS;
        },
      );
      if (pauseMs > 0) await wake.sleep(pauseMs, stopping.signal);
    }
  }

  /** Rings when routes or the agent are others than at the last news. */
  function onNews(): void {
    const news = JSON.stringify([link.observed()?.bootId, link.hosts()]);
    if (news !== heard) wake.ring();
    heard = news;
  }

  async function list(): Promise<CertificateResource[]> {
    if (config.proxy.tls.port === null) return [];
    const now = clock.now();
    const rows = new Map((await store.rows()).map((row) => [row.host, row]));
    const named = files.list().flatMap((each) => each.facts.names);
    const issuedHosts = [...rows.values()].filter((row) => row.chain !== null).map((row) => row.host);
    const hosts = [...new Set([...link.hosts(), ...named, ...issuedHosts])].toSorted();
    const read = new Set(files.list().map((each) => each.file));
    const broken = files.problems().filter((each) => !read.has(each.file));
    return [...hosts.map((host) => describe(host, rows.get(host), now)), ...broken.map(fromBrokenFile)];
  }

  function describe(host: string, row: CertificateRow | undefined, now: Date): CertificateResource {
    const found = fileFor(host);
    if (found) {
      const problem = files.problems().find((each) => each.file === found.file)?.reason ?? null;
      return fromFile(host, { facts: found.facts, problem, now });
    }
    if (row) return fromAuthority(row, now);
    return withoutCertificate(host, whyOff() ?? whyNotOrdered(host) ?? "it is about to be ordered");
  }

  async function show(host: string): Promise<CertificateResource> {
    const found = (await list()).find((each) => each.host === host.toLowerCase());
    if (!found) throw new AppError("NOT_FOUND", { what: `a route or certificate of the host ${host}` });
    return found;
  }

  async function renew(host: string, origin: Origin): Promise<CertificateResource> {
    const found = await show(host).catch((error: unknown) => {
      const reason = whyOff();
      throw reason === null ? error : new AppError("CERTIFICATES_OFF", { host, reason });
    });
    const isFile = found.source === "file";
    const reason = isFile ? "its certificate comes from a file" : (whyOff() ?? whyNotOrdered(found.host));
    if (reason !== null) throw new AppError("CERTIFICATES_OFF", { host, reason });
    const now = clock.now();
    await store.ensure([found.host], now);
    await db.transaction().execute(async (tx) => {
      await store.update(tx, found.host, { next_attempt_at: now, updated_at: now });
      const resource = { type: "certificate", id: found.host };
      await audit.record(tx, { ...origin, action: "certificates.renewal_requested", resource });
    });
    wake.ring();
    return show(found.host);
  }

  async function reload(origin: Origin): Promise<CertificateResource[]> {
    await files.read();
    wake.ring();
    const resource = { type: "certificates", id: "files" };
    const after = { files: files.list().length, problems: files.problems().length };
    await db
      .transaction()
      .execute((tx) => audit.record(tx, { ...origin, action: "certificates.reloaded", resource, after }));
    return list();
  }

  return {
    name: "certificates",
    list,
    show,
    renew,
    reload,
    start() {
      if (config.proxy.tls.port === null) return;
      endings.push(link.onNews(onNews), files.watch(wake.ring));
      looking = lookAgainAndAgain();
    },
    async stop() {
      stopping.abort();
      wake.ring();
      for (const end of endings) end();
      await looking;
    },
  };
}
