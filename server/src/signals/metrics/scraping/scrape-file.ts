import { findRuleError, RELABEL_ACTIONS } from "@mainstay/metrics/scrape";
import { z } from "zod";
import { duration, size } from "./prometheus-units.ts";

/**
 * The part of Prometheus' configuration file that says what to scrape, key by key as Prometheus names and
 * means them. Keys that are not here are refused.
 */

const MIN_INTERVAL_MS = 100;
const DEFAULT_BODY = "32MB";

const interval = () =>
  duration().refine((ms) => ms >= MIN_INTERVAL_MS, `expected at least ${MIN_INTERVAL_MS}ms`);
const labelName = z
  .string()
  .regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "expected the name of a label: letters, digits and _");
const labels = z.record(labelName, z.coerce.string());
const count = () => z.int("expected a whole number").min(0, "expected 0 (no limit) or more").default(0);
const path = () => z.string().min(1, "expected the path of a file");
/** YAML makes a number of what is meant as text, such as a password of digits. */
const text = () => z.union([z.string(), z.number().transform(String)], "expected text");

const relabelRule = z
  .strictObject({
    source_labels: z.array(labelName).optional(),
    separator: z.string().optional(),
    regex: text().optional(),
    modulus: z.int("expected a whole number").optional(),
    target_label: z.string().optional(),
    replacement: text().optional(),
    action: z.string().toLowerCase().pipe(z.enum(RELABEL_ACTIONS)).optional(),
  })
  .transform((written, context) => {
    const named = {
      ...{ action: written.action, separator: written.separator, regex: written.regex },
      ...{ modulus: written.modulus, replacement: written.replacement },
      ...{ sourceLabels: written.source_labels, targetLabel: written.target_label },
    };
    const rule = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
    const message = findRuleError(rule);
    if (message !== null) context.addIssue({ code: "custom", message, input: written });
    return rule;
  });

const basicAuth = z
  .strictObject({
    username: text().optional(),
    username_file: path().optional(),
    password: text().optional(),
    password_file: path().optional(),
  })
  .refine((auth) => auth.username === undefined || auth.username_file === undefined, {
    message: "expected username or username_file, not both",
  })
  .refine((auth) => auth.password === undefined || auth.password_file === undefined, {
    message: "expected password or password_file, not both",
  });

const authorization = z
  .strictObject({
    type: z
      .string()
      .refine((type) => type.toLowerCase() !== "basic", "expected basic_auth for the type Basic")
      .default("Bearer"),
    credentials: text().optional(),
    credentials_file: path().optional(),
  })
  .refine((auth) => (auth.credentials === undefined) !== (auth.credentials_file === undefined), {
    message: "expected either credentials or credentials_file",
  });

const tlsConfig = z
  .strictObject({
    ca: text().optional(),
    ca_file: path().optional(),
    cert: text().optional(),
    cert_file: path().optional(),
    key: text().optional(),
    key_file: path().optional(),
    server_name: z.string().optional(),
    insecure_skip_verify: z.boolean().default(false),
  })
  .refine(
    ({ cert, cert_file, key, key_file }) => Boolean(cert ?? cert_file) === Boolean(key ?? key_file),
    "expected a certificate and its key, or neither",
  );

const staticConfig = z.strictObject({
  targets: z.array(z.string(), "expected a list of addresses, such as [localhost:9100]"),
  labels: labels.default({}),
});

const fileDiscovery = z.strictObject({
  files: z
    .array(
      path().regex(
        /^[^*]*(\*[^/]*)?\.(json|ya?ml)$/,
        "expected .json, .yml or .yaml, with * in its name alone",
      ),
    )
    .min(1, "expected at least one file"),
  refresh_interval: interval().prefault("5m"),
});

const dnsDiscovery = z
  .strictObject({
    names: z.array(z.string().min(1)).min(1, "expected at least one name"),
    type: z
      .string()
      .toUpperCase()
      .pipe(z.enum(["SRV", "A", "AAAA", "MX", "NS"]))
      .prefault("SRV"),
    port: z.int("expected a port").min(1).max(65_535).optional(),
    refresh_interval: interval().prefault("30s"),
  })
  .refine(({ type, port }) => type === "SRV" || port !== undefined, {
    message: "expected a port: these records hold none",
    path: ["port"],
  });

const job = z
  .strictObject({
    job_name: z.string().min(1, "expected a name"),
    scrape_interval: interval().optional(),
    scrape_timeout: interval().optional(),
    metrics_path: z.string().min(1).default("/metrics"),
    scheme: z.enum(["http", "https"]).default("http"),
    params: z.record(z.string(), z.array(text())).default({}),
    honor_labels: z.boolean().default(false),
    honor_timestamps: z.boolean().default(true),
    follow_redirects: z.boolean().default(true),
    basic_auth: basicAuth.optional(),
    authorization: authorization.optional(),
    tls_config: tlsConfig.prefault({}),
    body_size_limit: size().prefault(DEFAULT_BODY),
    sample_limit: count(),
    label_limit: count(),
    label_name_length_limit: count(),
    label_value_length_limit: count(),
    target_limit: count(),
    static_configs: z.array(staticConfig).default([]),
    file_sd_configs: z.array(fileDiscovery).default([]),
    dns_sd_configs: z.array(dnsDiscovery).default([]),
    relabel_configs: z.array(relabelRule).default([]),
    metric_relabel_configs: z.array(relabelRule).default([]),
  })
  .refine((each) => each.basic_auth === undefined || each.authorization === undefined, {
    message: "expected basic_auth or authorization, not both",
  });

export const scrapeFile = z
  .strictObject({
    global: z
      .strictObject({
        scrape_interval: interval().prefault("1m"),
        scrape_timeout: interval().prefault("10s"),
      })
      .prefault({}),
    scrape_configs: z.array(job).default([]),
  })
  .check(refuseClashes);

export type WrittenScrapeFile = z.output<typeof scrapeFile>;
export type WrittenJob = WrittenScrapeFile["scrape_configs"][number];

/** What cannot be said of one key alone. */
function refuseClashes({ value, issues }: z.core.ParsePayload<WrittenScrapeFile>): void {
  const seen = new Set<string>();
  for (const [index, each] of value.scrape_configs.entries()) {
    const report = (key: string, message: string, input: unknown) =>
      issues.push({ code: "custom", path: ["scrape_configs", index, key], message, input });
    if (seen.has(each.job_name))
      report("job_name", "expected another name: a job has it already", each.job_name);
    seen.add(each.job_name);
    const intervalMs = each.scrape_interval ?? value.global.scrape_interval;
    if (each.scrape_timeout !== undefined && each.scrape_timeout > intervalMs)
      report("scrape_timeout", "expected no more than scrape_interval", each.scrape_timeout);
  }
}
