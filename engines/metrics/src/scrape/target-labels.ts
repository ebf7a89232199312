import { createLabels, type Labels } from "../labels.ts";
import type { Relabel } from "./relabel.ts";

/** What a job says of all its targets. */
export interface TargetSettings {
  jobName: string;
  scheme: string;
  metricsPath: string;
  /** Parameters of the request's query, each with its values in order. */
  params: Readonly<Record<string, readonly string[]>>;
  relabel: Relabel;
}

/** A target as it was found, by discovery or in the configuration. */
export interface TargetDraft {
  address: string;
  labels: Readonly<Record<string, string>>;
}

export interface TargetLabels {
  /** Before relabelling. */
  discovered: Labels;
  /** The target as it is scraped; null: relabelling leaves it out; text: why it cannot be. */
  target: { labels: Labels; url: string } | string | null;
}

const ADDRESS = "__address__";
const SCHEME = "__scheme__";
const PATH = "__metrics_path__";
const PARAM = "__param_";

/**
 * What becomes of a target by its job's settings and relabelling, with the labels that Prometheus' own
 * documentation names (relabel_config).
 */
export function labelsOfTarget({ address, labels }: TargetDraft, settings: TargetSettings): TargetLabels {
  const { jobName, scheme, metricsPath, params, relabel } = settings;
  const map = new Map<string, string>([
    ["job", jobName],
    [SCHEME, scheme],
    [PATH, metricsPath],
    ...Object.entries(params).map(([name, [first = ""]]): [string, string] => [PARAM + name, first]),
    [ADDRESS, address],
    ...Object.entries(labels),
  ]);
  const discovered = createLabels(map);
  if (!relabel(map)) return { discovered, target: null };
  const found = map.get(ADDRESS) ?? "";
  const wrong = addressProblem(found);
  if (wrong !== null) return { discovered, target: wrong };
  const url = urlOf(map, params);
  if (!map.get("instance")) map.set("instance", found);
  const visible = [...map].filter(([name]) => !name.startsWith("__"));
  return {
    discovered,
    target: url === null ? `${found} makes no URL` : { labels: createLabels(visible), url },
  };
}

function addressProblem(address: string): string | null {
  if (address === "") return "the target has no address";
  return /[\s/?#@]/.test(address) ? `"${address}" is no host with a port` : null;
}

function urlOf(labels: Map<string, string>, params: TargetSettings["params"]): string | null {
  const scheme = labels.get(SCHEME) ?? "";
  const path = labels.get(PATH) ?? "";
  if (scheme !== "http" && scheme !== "https") return null;
  const base = `${scheme}://${labels.get(ADDRESS)}${path.startsWith("/") ? path : `/${path}`}`;
  if (!URL.canParse(base)) return null;
  const url = new URL(base);
  const names = [...labels.keys()].flatMap((each) =>
    each.startsWith(PARAM) ? each.slice(PARAM.length) : [],
  );
  for (const name of new Set([...Object.keys(params), ...names])) {
    const [, ...further] = params[name] ?? [];
    for (const value of [labels.get(PARAM + name) ?? "", ...further]) url.searchParams.append(name, value);
  }
  return url.href;
}
