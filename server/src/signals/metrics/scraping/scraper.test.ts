import type { IncomingMessage, RequestListener } from "node:http";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { createSelfSigned } from "../../../../../tests/support/self-signed.ts";
import { waitUntil } from "../../../../../tests/support/wait-until.ts";
import { startDnsServer } from "./testing/dns-server.ts";
import { openScrapingHouse, startTarget } from "./testing/scraping-house.ts";

const TEXT = "text/plain; version=0.0.4";
const PLAIN = "prometheus" as const;
const plain =
  (text: string, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    response.writeHead(200, { "content-type": TEXT, ...headers }).end(text);

const fileOf = (address: string, more = "") => `
global: { scrape_interval: 400ms, scrape_timeout: 400ms }
scrape_configs:
- job_name: shop
  static_configs: [{ targets: ["${address}"] }]
${more}`;

const asFound = <Thing>(things: readonly Thing[]) => things.length > 0 && things;
const isUp = ({ health }: { health: string }) => health === "up";
const failedBy =
  (why: RegExp) =>
  ({ lastError }: { lastError: string | null }) =>
    why.test(lastError ?? "");

describe("a target", () => {
  it("is scraped, and its samples can be queried", async () => {
    const address = await startTarget(plain('# TYPE a gauge\na{x="y"} 3\n'));
    const house = await openScrapingHouse({ scrapeFile: fileOf(address) });
    const target = await house.target("a scrape", isUp);
    expect(target).toMatchObject({
      ...{ pool: "shop", url: `http://${address}/metrics`, labels: { job: "shop", instance: address } },
      discovered: { __address__: address, __scheme__: "http", __metrics_path__: "/metrics", job: "shop" },
    });
    expect(await house.query("a")).toEqual({ "x=y": 3 });
    expect(await house.query(`up{job="shop",instance="${address}"}`)).toEqual({ "": 1 });
    expect(await house.query("scrape_samples_scraped")).toEqual({ "": 1 });
    expect(await house.store.metadata()).toMatchObject([{ metric: "a", type: "gauge" }]);
  });

  it("is asked for OpenMetrics, packed or not", async () => {
    const asked: IncomingMessage["headers"][] = [];
    const address = await startTarget((request, response) => {
      asked.push(request.headers);
      const type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
      response.writeHead(200, { "content-type": type, "content-encoding": "gzip" });
      response.end(gzipSync('# TYPE a counter\na_total 3 # {trace_id="t"} 1\n# EOF\n'));
    });
    const house = await openScrapingHouse({ scrapeFile: fileOf(address) });
    await house.target("a scrape", isUp);
    expect(await house.query("a_total")).toEqual({ "": 3 });
    expect(await house.store.exemplars({ match: ["a_total"] })).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      accept: expect.stringMatching(/^application\/openmetrics-text;version=1.0.0;q=0.5,.*text\/plain/),
      ...{ "accept-encoding": "gzip", "x-prometheus-scrape-timeout-seconds": "0.4" },
    });
  });

  it("is up although it claims names of Mainstay's own, which are left out, counted and told", async () => {
    const address = await startTarget(plain("mainstay_host_load1 99\nown_load 1\n"));
    const read = async () => ({ text: "mainstay_host_load1 2\n", format: PLAIN });
    const sources = [{ job: "mainstay", read }];
    const house = await openScrapingHouse({ scrapeFile: fileOf(address), sources });
    const target = await house.target("what was left out", failedBy(/reserved-name/));
    expect(target).toMatchObject({
      ...{ health: "up", pool: "shop" },
      lastError: expect.stringMatching(/^1 sample refused \(reserved-name\), such as: .*mainstay_host_load1/),
    });
    const own = await house.target("a scrape of Mainstay itself", ({ pool }) => pool === "mainstay");
    const ownLoad = () => house.query("mainstay_host_load1");
    await waitUntil("its samples", async () => asFound(Object.keys(await ownLoad())));
    expect(await ownLoad()).toEqual({ "": 2 });
    expect(own.lastError).toBeNull();
    expect([await house.query("own_load"), await house.query('up{job="shop"}')]).toEqual([
      { "": 1 },
      { "": 1 },
    ]);
    expect((await house.store.stats()).refusedNames).toBeGreaterThan(0);
  });

  it("that ends is marked, so that queries do not see it any more", async () => {
    let text = "a 1\nb 1\n";
    const address = await startTarget((request, response) => plain(text)(request, response));
    const house = await openScrapingHouse({ scrapeFile: fileOf(address) });
    await house.target("a scrape", isUp);
    text = "a 1\n";
    await waitUntil("the end of b", async () => Object.keys(await house.query("b")).length === 0);
    expect(await house.query("a")).toEqual({ "": 1 });
  });
});

describe("an answer that is none", () => {
  it.each<[string, RequestListener, string, RegExp]>([
    [
      "another status",
      (_, response) => response.writeHead(500).end(),
      "",
      /^the target answered with status 500$/,
    ],
    [
      "another content",
      plain("<a>", { "content-type": "text/html" }),
      "",
      /^the answer is text\/html, neither/,
    ],
    ["no metrics", plain("a\n"), "", /^line 1: no value$/],
    ["too late", () => {}, "", /^no whole answer within 0.4 s$/],
    [
      "too late in its body",
      (_, response) => void response.writeHead(200).write("a 1\n"),
      "",
      /^no whole answer within/,
    ],
    [
      "too large",
      plain(`a 1\n${"#".repeat(2000)}\n`),
      "  body_size_limit: 1KB",
      /larger than body_size_limit, 1024 bytes$/,
    ],
    [
      "too large once it is unpacked",
      (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("#".repeat(1e6))),
      ...(["  body_size_limit: 100KB", /larger than body_size_limit/] as const),
    ],
    [
      "packed wrongly",
      (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end("a 1\n"),
      ...(["", /incorrect header check/] as const),
    ],
    ["too many samples", plain("a 1\nb 1\n"), "  sample_limit: 1", /^more samples than sample_limit, 1$/],
    [
      "elsewhere without end",
      (_, response) => response.writeHead(302, { location: "/" }).end(),
      "",
      /more than 10 times/,
    ],
    [
      "elsewhere where that is not followed",
      (_, response) => response.writeHead(302, { location: "/" }).end(),
      ...(["  follow_redirects: false", /status 302/] as const),
    ],
  ])("because it is %s", async (_, listener, more, why) => {
    const house = await openScrapingHouse({ scrapeFile: fileOf(await startTarget(listener), more) });
    await house.target("the failure", failedBy(why));
    expect(await house.query("up")).toEqual({ "": 0 });
  });

  it("because nobody listens", async () => {
    const house = await openScrapingHouse({ scrapeFile: fileOf("127.0.0.1:1") });
    await house.target("the refusal", failedBy(/ECONNREFUSED/));
  });

  it("because the job has too many targets", async () => {
    const text = fileOf('127.0.0.1:1", "127.0.0.1:2', "  target_limit: 1");
    const house = await openScrapingHouse({ scrapeFile: text });
    await house.target("the refusal", failedBy(/^the job has more targets than target_limit, 1$/));
  });
});

describe("proof of identity", () => {
  const guarded =
    (expected: string): RequestListener =>
    (request, response) =>
      request.headers.authorization === expected
        ? plain("a 1\n")(request, response)
        : response.writeHead(401).end();

  it("is a name with a password, or a token in a file that is read each time", async () => {
    const basic = await startTarget(guarded(`Basic ${Buffer.from("ann:pw").toString("base64")}`));
    const first = await openScrapingHouse({
      scrapeFile: fileOf(basic, "  basic_auth: { username: ann, password: pw }"),
    });
    await first.target("a scrape", isUp);

    const bearer = await startTarget(guarded("Bearer second"));
    const second = await openScrapingHouse({
      scrapeFile: fileOf(bearer, "  authorization: { credentials_file: token }"),
    });
    await second.target("the missing file", failedBy(/token/));
    await second.write("token", "first\n");
    await second.target("the refusal", failedBy(/status 401$/));
    await second.write("token", "second\n");
    await second.target("a scrape", isUp);
  });

  it("does not go along to where a target sends us", async () => {
    const seen: (string | undefined)[] = [];
    const other = await startTarget((request, response) => {
      seen.push(request.headers.authorization);
      plain("a 1\n")(request, response);
    });
    const address = await startTarget((_, response) =>
      response.writeHead(302, { location: `http://${other}/` }).end(),
    );
    const house = await openScrapingHouse({
      scrapeFile: fileOf(address, "  authorization: { credentials: hidden }"),
    });
    await house.target("a scrape", isUp);
    expect(new Set(seen)).toEqual(new Set([undefined]));
  });

  it("of the target is its certificate, by an authority that the job names", async () => {
    const { cert, key } = createSelfSigned({
      hosts: ["shop.example"],
      from: new Date(Date.now() - 60_000),
      days: 1,
    });
    const address = await startTarget(plain("a 1\n"), { cert, key });
    const house = await openScrapingHouse({
      scrapeFile: fileOf(address, "  scheme: https\n  tls_config: { server_name: shop.example }"),
    });
    await house.target("the refusal", failedBy(/self-signed certificate/));
    const ca = await house.write("ca.pem", cert);
    const tls = `  scheme: https\n  tls_config: { server_name: shop.example, ca_file: "${ca}" }`;
    const trusting = await openScrapingHouse({ scrapeFile: fileOf(address, tls) });
    await trusting.target("a scrape", isUp);
    const careless = await openScrapingHouse({
      scrapeFile: fileOf(address, "  scheme: https\n  tls_config: { insecure_skip_verify: true }"),
    });
    await careless.target("a scrape", isUp);
  });
});

describe("discovery", () => {
  it("by files goes on while they change, also while one is broken", async () => {
    const [first, second] = [await startTarget(plain("a 1\n")), await startTarget(plain("a 2\n"))];
    const scrapeFile = `
global: { scrape_interval: 400ms, scrape_timeout: 400ms }
scrape_configs:
- job_name: shop
  file_sd_configs: [{ files: ["targets-*.yml"], refresh_interval: 100ms }]
  relabel_configs: [{ action: drop, source_labels: [zone], regex: far }]`;
    const house = await openScrapingHouse({ scrapeFile });
    const view = () => house.scraper.pools()[0];
    const problem = () => house.scraper.problems()[0]?.summary;
    const group = (address: string, zone: string) =>
      `- { targets: ["${address}"], labels: { zone: ${zone} } }\n`;

    const file = await house.write("targets-1.yml", group(first, "near"));
    const target = await house.target("the first", isUp);
    expect(target.labels).toEqual({ job: "shop", instance: first, zone: "near" });
    expect(target.discovered).toMatchObject({ __meta_filepath: file });

    await house.write("targets-2.yml", group(second, "near"));
    await house.target("the second", (each) => each.labels["instance"] === second && isUp(each));

    await house.write("targets-2.yml", "- { targets: oops }");
    await waitUntil("the problem", () => problem()?.includes("expected a list"));
    expect(view()?.active).toHaveLength(2);

    await house.write("targets-2.yml", group(second, "far"));
    await waitUntil("that it is left out", () => view()?.active.length === 1);
    expect(view()).toMatchObject({ droppedCount: 1, dropped: [{ discovered: { zone: "far" } }] });
    await waitUntil("its end", async () => Object.values(await house.query("a")).join() === "1");
  });

  it("by DNS follows what the name server says, and keeps its targets while that fails", async () => {
    const address = await startTarget(plain("a 1\n"));
    const port = Number(address.split(":")[1]);
    const server = await startDnsServer({ srv: { "shop.test": [{ port, target: "localhost" }] }, a: {} });
    onTestFinished(() => server.close());
    const scrapeFile = `
global: { scrape_interval: 400ms, scrape_timeout: 400ms }
scrape_configs:
- job_name: shop
  dns_sd_configs:
  - { names: [shop.test], refresh_interval: 100ms }
  - { names: [a.test], type: A, port: ${port}, refresh_interval: 100ms }`;
    const house = await openScrapingHouse({ scrapeFile, nameServer: server.address });
    const found = await house.target(
      "the service",
      ({ labels }) => labels["instance"] === `localhost:${port}`,
    );
    expect(found.discovered).toMatchObject({
      ...{ __meta_dns_name: "shop.test", __meta_dns_srv_record_target: "localhost" },
      __meta_dns_srv_record_port: String(port),
    });
    server.zone.a["a.test"] = ["127.0.0.1"];
    await house.target("the address", (each) => each.labels["instance"] === address && isUp(each));

    server.isBroken = true;
    const view = () => house.scraper.pools()[0];
    const problem = () => house.scraper.problems()[0]?.summary;
    await waitUntil("the problem", () => problem()?.includes("found: SRV of shop.test: "));
    expect(view()?.active).toHaveLength(2);
    server.isBroken = false;
    delete server.zone.srv["shop.test"];
    await waitUntil("that it is gone", () => view()?.active.length === 1);
  });
});

describe("the file of scrapes", () => {
  it("is read again when it changes; what is broken is told and leaves the old one in force", async () => {
    const [first, second] = [await startTarget(plain("a 1\n")), await startTarget(plain("b 1\n"))];
    const house = await openScrapingHouse({ scrapeFile: fileOf(first) });
    await house.target("the first", isUp);
    expect(house.scraper.problems()).toEqual([]);

    await house.write("scrape.yml", "scrape_configs: [{ job: a }]");
    const [problem] = await waitUntil("the problem", () => asFound(house.scraper.problems()));
    expect(problem).toMatchObject({ kind: "scrape-failing", subject: "file" });
    expect(problem?.summary).toContain("is not in force: scrape_configs.0.job_name: is missing");
    expect(await house.query("a")).toEqual({ "": 1 });

    await house.write("scrape.yml", fileOf(second));
    await house.target("the second", (each) => each.labels["instance"] === second && isUp(each));
    expect(house.scraper.problems()).toEqual([]);
    expect(house.scraper.pools().flatMap((pool) => pool.active)).toHaveLength(1);
    expect(await house.query("a")).toEqual({});
  });
});

describe("a source", () => {
  it("is scraped like a target, and keeps its own labels", async () => {
    const read = async () => ({ text: 'a{instance="ins_1"} 1\n', format: "prometheus" as const });
    const house = await openScrapingHouse({ sources: [{ job: "mainstay", read }] });
    const target = await house.target("a scrape", isUp);
    expect(target).toMatchObject({ pool: "mainstay", url: "mainstay:mainstay", labels: { job: "mainstay" } });
    const { value } = await house.store.query({ query: "a" });
    expect(value).toMatchObject({
      samples: [{ labels: { names: ["__name__", "instance", "job"], values: ["a", "ins_1", "mainstay"] } }],
    });
  });
});

describe("instances that tell figures of their own", () => {
  it("are scraped from when they are there until they are gone", async () => {
    const address = await startTarget(plain('orders{instance="x"} 7\n'));
    const labels = {
      job: "shop",
      service: "shop",
      instance: "ins_1",
      arm: "stable",
      __metrics_path__: "/figures",
    };
    let groups: { targets: string[]; labels: Record<string, string> }[] = [];
    const house = await openScrapingHouse({ instances: () => groups });
    expect(house.scraper.pools()).toEqual([]);
    groups = [{ targets: [address], labels }];
    const target = await house.target("a scrape", isUp);
    expect(target).toMatchObject({ pool: "instances", url: `http://${address}/figures` });
    expect(target.labels).toEqual({ job: "shop", service: "shop", instance: "ins_1", arm: "stable" });
    expect(await house.query('orders{instance="ins_1"}')).toEqual({
      "arm=stable,exported_instance=x,service=shop": 7,
    });
    groups = [];
    await waitUntil("its end", async () => Object.keys(await house.query("orders")).length === 0);
  });
});
