import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import path from "node:path";
import { createAgentClient } from "@mainstay/agent";
import type { PlatformConfig } from "@mainstay/api";
import { addAuditRoutes, auditStream, createAudit, createAuditLog } from "./core/audit/index.ts";
import { addBuildsRoutes, createBuilds } from "./core/builds/index.ts";
import { addChangesRoutes, createChangesRoom, type ChangeKind } from "./core/changes/index.ts";
import {
  addAccessRoutes,
  addKeysRoutes,
  addTokensRoutes,
  createIdentity,
  createSigningKeys,
  createTokens,
  SEALED_FACTORS,
  SEALED_SIGNING_KEYS,
} from "./core/identity/index.ts";
import {
  addReleasesRoutes,
  addSecretsRoutes,
  addServicesRoutes,
  addSettingsRoutes,
  addTasksRoutes,
  createReleaseKind,
  createPlainSecrets,
  createScaleKind,
  createServices,
  createSettingKind,
  createSignatures,
  gateDeadlineOf,
  scopeOfChange,
  SEALED_SECRETS,
  type Collect,
  type TaskRow,
} from "./core/services/index.ts";
import { addSealingRoutes, createSealer, createSecrets, type HeldKeys } from "./core/secrets/index.ts";
import { addUploadsRoutes, createUploads } from "./core/uploads/index.ts";
import { addCertificatesRoutes, createCertificatesRoom } from "./drivers/certificates/index.ts";
import { addChannelsRoutes, createChannelsRoom, createSecretReader } from "./drivers/channels/index.ts";
import { createKeepers } from "./drivers/checkpoints/index.ts";
import {
  createAgentLink,
  createAgentTrust,
  createBuildKeeper,
  createHooks,
  createInstancesDriver,
  createJournalAuditor,
  createRehearsalDriver,
  createReleaseCommandDriver,
  createScaleDriver,
  createTaskKeeper,
  readOutput,
} from "./drivers/instances/index.ts";
import { createProber, createVerificationDriver, withProbes } from "./drivers/probing/index.ts";
import { createReleaseChecks } from "./drivers/preflight/index.ts";
import { createTrafficDriver, createTrafficSampler, trafficMetrics } from "./drivers/traffic/index.ts";
import { addHousekeeping } from "./housekeeping.ts";
import type { LongRunning } from "./kernel/actors.ts";
import type { Clock } from "./kernel/clock.ts";
import { databaseMetrics, type DatabaseHandle } from "./kernel/database/index.ts";
import { freeBytesAt } from "./kernel/disk.ts";
import { createEvents } from "./kernel/events/index.ts";
import {
  createFingerprintKey,
  createHttp,
  createIdempotencyStore,
  SEALED_FINGERPRINT_KEY,
} from "./kernel/http/index.ts";
import { createIds } from "./kernel/ids.ts";
import { createJobs } from "./kernel/jobs/index.ts";
import type { Log } from "./kernel/log.ts";
import { createMetrics } from "./kernel/metrics.ts";
import { createProcessMetrics } from "./kernel/process-metrics.ts";
import { addPlatformRoutes } from "./platform-routes.ts";
import { publicUrlOf } from "./public-url.ts";
import { addCapacityRoutes } from "./signals/capacity/index.ts";
import { createGateCheck, createGateKeeper, withComparisons } from "./signals/gates/index.ts";
import { addImportRoutes } from "./signals/imports/index.ts";
import { addMetricsRoutes, configText, createMetricsRoom, createScraper } from "./signals/metrics/index.ts";
import { addProblemsRoutes, createProblems } from "./signals/problems/index.ts";
import { createRules } from "./signals/rules/index.ts";
import { VERSION } from "./version.ts";

/** Far more changes than are under way in an environment. */
const ACTIVE_MAX = 1000;

export interface HouseDependencies {
  config: PlatformConfig;
  database: DatabaseHandle;
  runtimeDirectory: string;
  /** What everything sealed in the database is wrapped with. */
  keys: HeldKeys;
  /** Where channels may keep their secrets. */
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
}

/** The whole house: every room is built here, in the order data flows, by plain calls. */
export function compose(dependencies: HouseDependencies) {
  const { config, database, runtimeDirectory, keys, env, clock, log } = dependencies;
  const { db } = database;
  const { dataDirectory } = config;

  // Kernel
  const ids = createIds({ clock, random: randomBytes });
  const metrics = createMetrics({ clock, log });
  const streams = [auditStream];
  const events = createEvents({ database, clock, ids, log, metrics, streams, source: "mainstay" });
  const jobs = createJobs({ database, log, metrics });

  const measures = createMetricsRoom({
    ...{ dataDirectory, config: config.metrics, env, clock, log, metrics },
  });

  const agent = createAgentClient({
    socketPath: path.join(runtimeDirectory, "agent.sock"),
    token: () => tokens.forAgent(),
  });

  // Core
  const sealer = createSealer({ keyring: keys.keyring, random: randomBytes });
  const audit = createAudit({ db, clock, ids });
  const { listen } = database;
  const { publicHost } = config.server;
  const identity = createIdentity({
    ...{ db, listen, clock, ids, random: randomBytes, audit, log, metrics, dataDirectory, publicHost },
    config: config.identity,
    publicUrl: publicUrlOf(config.server),
    sealer,
    readSecret: createSecretReader(env),
  });
  const tokens = createTokens({
    keys: createSigningKeys({ db, clock, random: randomBytes, sealer, audit }),
    issuer: publicHost === null ? "urn:mainstay" : `https://${publicHost}`,
    ...{ clock, ids, log, publish: createAgentTrust({ dataDirectory }) },
  });
  const uploads = createUploads({ db, clock, ids, dataDirectory, limits: config.uploads });
  const signatures = createSignatures(config.signatures);
  const services = createServices({
    ...{ db, clock, ids, audit, events, dataDirectory, uploads, signatures, sealer },
    images: { resolve: agent.resolveImage, remove: agent.removeImages },
    limits: config.uploads,
  });

  const plainSecrets = createPlainSecrets({
    ...{ db, audit, log, secrets: services.secrets, directory: path.join(dataDirectory, "keys") },
  });

  const secrets = createSecrets({
    ...{ database, clock, ids, random: randomBytes, audit, events, jobs, log, keys },
    columns: [SEALED_SECRETS, SEALED_FACTORS, SEALED_SIGNING_KEYS, SEALED_FINGERPRINT_KEY],
  });

  const builds = createBuilds({ db, clock, ids, audit, services, dataDirectory, limits: config.builds });

  // Drivers and signals
  const settings = {
    dataDirectory,
    leaseTtlMs: config.agent.leaseTtl,
    requestTimeoutMs: config.proxy.requestTimeout,
    drainTimeoutMs: config.proxy.drainTimeout,
    api: publicHost === null ? null : { host: publicHost, port: config.server.port },
  };
  const journal = createJournalAuditor({ db, audit });
  const link = createAgentLink({ agent, services, builds, settings, clock, log, journal, db, events });
  const sampler = createTrafficSampler({ agent, clock, log });
  const traffic = createTrafficDriver({ services, link });
  const instances = createInstancesDriver({ services, link, clock });
  const releaseCommand = createReleaseCommandDriver({ services, link, agent });
  const rehearsal = createRehearsalDriver({ services, link, agent });
  const taskKeeper = createTaskKeeper({ services, link, agent, clock, log });
  const buildKeeper = createBuildKeeper({ builds, link, agent, clock, log });
  const certificates = createCertificatesRoom({
    ...{ db, clock, random: randomBytes, audit, events, log, agent, link, config, dataDirectory },
  });

  // Changes: what alters production, and who acts and judges in it
  const verification = createVerificationDriver({ services, link, clock, log });
  const hooks = createHooks({ services, link, agent });
  const drivers = [traffic, releaseCommand, rehearsal, instances, verification];
  const prober = createProber({ services, link, clock, metrics });
  const gates = createGateKeeper({ store: measures.store, clock, log });
  const signal = withComparisons(withProbes(sampler, prober), gates.comparisons);
  const { portRange } = config.agent;
  const releaseChecks = createReleaseChecks({
    ...{ services, link, database, dataDirectory, portRange, signatures },
    activeChanges: (environment) => changes.list({ environment, active: true, limit: ACTIVE_MAX }),
  });
  const checks = [...releaseChecks, createGateCheck()];
  const release: ChangeKind = { ...createReleaseKind(services), drivers, checks, signal, gates, hooks };
  const setting: ChangeKind = { ...createSettingKind(services), drivers, checks, signal, gates, hooks };
  const scaleDrivers = [createScaleDriver({ services, link })];
  const scale: ChangeKind = {
    ...createScaleKind(services, gateDeadlineOf),
    drivers: scaleDrivers,
    signal: null,
  };
  const { changes, runner, watch, report } = createChangesRoom({
    db,
    clock,
    ids,
    audit,
    events,
    log,
    kinds: [release, setting, scale],
    freeze: config.freeze,
    approvals: config.approvals,
    production: config.productionEnvironments,
    holdsRole: identity.holdsRole,
    owner: dataDirectory,
    listen: database.listen,
  });

  const collect: Collect = (wish, origin) =>
    services.collect(
      { ...wish, referenced: changes.referenced, keepNewest: config.retention.releases },
      origin,
    );

  // What is measured: everything below, and whatever a file names
  const scraper = createScraper({
    ...{ clock, log, metrics, sink: measures.store, seed: hostname() },
    file: config.metrics.scrape.file,
    sources: [
      { job: "mainstay", read: async () => ({ text: await metrics.render(), format: "prometheus" }) },
    ],
    instances: link.measured,
    intervalMs: config.metrics.scrape.interval,
  });
  const { rules: ruleSettings } = config.metrics;
  const rules = createRules({
    ...{ store: measures.store, clock, log, metrics },
    ...{ files: ruleSettings.files, intervalMs: ruleSettings.interval },
  });

  // Who is told of what is wrong
  const { channels, beat } = createChannelsRoom({
    ...{ config, env, db, clock, ids, random: randomBytes, audit, events, jobs, log, metrics },
    async checkHealth() {
      await database.ping();
      if (link.observed() === null) throw new Error("the agent does not answer");
    },
  });
  const auditOrigin = config.audit.origin ?? `${publicHost ?? hostname().toLowerCase()}/audit`;
  const auditLog = createAuditLog({
    ...{ database, audit, dataDirectory, origin: auditOrigin, clock, random: randomBytes, log, metrics },
    keepers: createKeepers(config.audit.keepers, { channels, clock }),
    witnessOf: config.audit.witnessOf,
  });
  const problems = createProblems({
    ...{ db, clock, log, events, limits: config.problems },
    places: {
      ...{ changes, agent: link, certificates, channels, audit: auditLog },
      ...{ metrics: measures, scrapes: scraper, rules },
      budgets: { problems: measures.budgetProblems },
      remoteWrites: { problems: measures.remoteWriteProblems },
      freeBytes: () => freeBytesAt(dataDirectory),
    },
  });

  // Edges
  const idempotencyStore = createIdempotencyStore({
    ...{ db, clock, ids },
    fingerprintKey: createFingerprintKey({ db, sealer, random: randomBytes }),
  });
  const http = createHttp({
    config: config.server,
    version: VERSION,
    log,
    clock,
    ids,
    metrics,
    authenticate: async (credentials) =>
      (await tokens.authenticate(credentials)) ?? identity.authenticate(credentials),
    idempotencyStore,
  });
  addTokensRoutes(http, tokens);
  identity.accounts.addRoutes(http);
  addAccessRoutes(http, identity.access);
  addKeysRoutes(http, identity.access);
  addUploadsRoutes(http, uploads);
  addReleasesRoutes(http, { services, collect });
  addServicesRoutes(http, {
    services,
    observed: () => link.observed()?.instances ?? [],
    sync: link.sync,
    logs: agent.logs,
  });
  addSettingsRoutes(http, services);
  addSealingRoutes(http, secrets);
  addSecretsRoutes(http, { services, db, audit });
  const outputOf = (row: TaskRow) => readOutput({ services, agent }, row);
  addTasksRoutes(http, { services, sync: link.sync, outputOf });
  const { wake, outputOf: buildOutputOf } = buildKeeper;
  addBuildsRoutes(http, { builds, sync: link.sync, wake, outputOf: buildOutputOf, logs: agent.logs });
  addCertificatesRoutes(http, certificates);
  addChangesRoutes(http, { changes, watch, report, scopeOf: (wish) => scopeOfChange(services, wish) });
  addChannelsRoutes(http, { channels, beat });
  addProblemsRoutes(http, problems);
  addMetricsRoutes(http, {
    ...{ room: measures, config: config.metrics, formBytes: config.server.bodyLimit, version: VERSION },
    ...{ audit, db, clock, targets: scraper, rules },
    configText: () =>
      configText({
        ...{ intervalMs: config.metrics.scrape.interval, ruleFiles: ruleSettings.files },
        ...{ scrapeText: scraper.fileText(), remoteWrites: config.metrics.remoteWrite },
      }),
  });
  addImportRoutes(http, { store: measures.store });
  addCapacityRoutes(http, { store: measures.store, clock });
  addPlatformRoutes(http, { config, database, changes, link, sampler });
  addAuditRoutes(http, { audit, auditLog, listen: database.listen, clock, isPublic: config.audit.publicLog });
  http.addReadinessCheck("database", () => database.ping());
  http.addReadinessCheck("agent", async () => void (await link.sync()));
  metrics.registerCollector("data-plane", () => {
    const counters = sampler.latest();
    return counters ? trafficMetrics(counters) : [];
  });
  metrics.registerCollector("database", () => databaseMetrics(db));
  metrics.registerCollector("agent", async () => (await agent.metrics()).families);
  addHousekeeping(jobs, {
    ...{ events, changes, services, builds, collect, idempotencyStore, uploads, channels, clock },
    accounts: identity.accounts,
    retention: config.retention,
  });

  const parts: LongRunning[] = [
    { name: "database", start: () => {}, stop: () => database.close() },
    createProcessMetrics({ metrics, clock }),
    measures,
    ...identity.access.parts,
    plainSecrets,
    events,
    auditLog,
    jobs,
    secrets,
    tokens,
    link,
    taskKeeper,
    buildKeeper,
    sampler,
    certificates,
    prober,
    runner,
    rules,
    channels,
    problems,
    scraper,
    http,
    beat,
  ];
  return { parts, http, identity, ids };
}
