import { RELABEL_DEFAULTS, type LabelLimits, type RelabelRule } from "@mainstay/metrics/scrape";
import path from "node:path";
import type { Access } from "../connection/access.ts";
import type { WrittenJob, WrittenScrapeFile } from "./scrape-file.ts";

/** Targets with the labels that they share. */
export interface TargetGroup {
  targets: readonly string[];
  labels: Readonly<Record<string, string>>;
}

export interface FileDiscovery {
  /** Absolute; the last part may hold a `*`. */
  patterns: readonly string[];
  refreshMs: number;
}

export type DnsType = "SRV" | "A" | "AAAA" | "MX" | "NS";

export interface DnsDiscovery {
  names: readonly string[];
  type: DnsType;
  /** Null: the records hold it. */
  port: number | null;
  refreshMs: number;
}

/** One entry of `scrape_configs`, with defaults filled in and paths made absolute. */
export interface ScrapeJob {
  name: string;
  intervalMs: number;
  timeoutMs: number;
  scheme: string;
  metricsPath: string;
  params: Readonly<Record<string, readonly string[]>>;
  honorLabels: boolean;
  honorTimestamps: boolean;
  relabelRules: readonly RelabelRule[];
  metricRelabelRules: readonly RelabelRule[];
  access: Access;
  followRedirects: boolean;
  /** 0: no limit. */
  limits: { bodyBytes: number; samples: number; targets: number; label: LabelLimits };
  groups: readonly TargetGroup[];
  files: readonly FileDiscovery[];
  dns: readonly DnsDiscovery[];
}

/** The jobs of a file that was read from `directory`, to which its paths are relative. */
export function jobsOf({ global, scrape_configs }: WrittenScrapeFile, directory: string): ScrapeJob[] {
  return scrape_configs.map((written) => {
    const intervalMs = written.scrape_interval ?? global.scrape_interval;
    return {
      name: written.job_name,
      intervalMs,
      timeoutMs: written.scrape_timeout ?? Math.min(global.scrape_timeout, intervalMs),
      scheme: written.scheme,
      metricsPath: written.metrics_path,
      params: written.params,
      honorLabels: written.honor_labels,
      honorTimestamps: written.honor_timestamps,
      relabelRules: written.relabel_configs.map(complete),
      metricRelabelRules: written.metric_relabel_configs.map(complete),
      access: accessOf(written, directory),
      followRedirects: written.follow_redirects,
      limits: {
        bodyBytes: written.body_size_limit,
        samples: written.sample_limit,
        targets: written.target_limit,
        label: {
          labels: written.label_limit,
          nameLength: written.label_name_length_limit,
          valueLength: written.label_value_length_limit,
        },
      },
      groups: written.static_configs,
      files: written.file_sd_configs.map(({ files, refresh_interval }) => ({
        patterns: files.map((file) => path.resolve(directory, file)),
        refreshMs: refresh_interval,
      })),
      dns: written.dns_sd_configs.map(({ names, type, port, refresh_interval }) => ({
        ...{ names, type, port: type === "SRV" ? null : (port ?? null), refreshMs: refresh_interval },
      })),
    };
  });
}

function complete(written: Partial<RelabelRule>): RelabelRule {
  return { ...RELABEL_DEFAULTS, ...written };
}

function accessOf(written: WrittenJob, directory: string): Access {
  const { basic_auth: basic, authorization: bearer, tls_config: tls } = written;
  const secret = (text: string | undefined, file: string | undefined) => {
    if (text !== undefined) return { text };
    return file === undefined ? null : { file: path.resolve(directory, file) };
  };
  return {
    headers: [],
    basic: basic
      ? {
          username: secret(basic.username, basic.username_file),
          password: secret(basic.password, basic.password_file),
        }
      : null,
    token: bearer
      ? { type: bearer.type, credentials: secret(bearer.credentials, bearer.credentials_file) }
      : null,
    tls: {
      ca: secret(tls.ca, tls.ca_file),
      cert: secret(tls.cert, tls.cert_file),
      key: secret(tls.key, tls.key_file),
      serverName: tls.server_name ?? null,
      isUnchecked: tls.insecure_skip_verify,
    },
  };
}
