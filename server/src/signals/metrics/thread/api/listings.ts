import { ApiError } from "../../api-error.ts";
import { EVER_MS, readLimit, readMost, readTimeMs } from "../../parameters.ts";
import { toListOptions } from "../selectors.ts";
import { listed, type Answered, type Call } from "./call.ts";
import { labelsJson } from "./json.ts";

const ESCAPED = "U__";

async function optionsOf({ parameters }: Call, match = parameters.all("match[]")) {
  const [fromMs, toMs] = [readTimeMs(parameters, "start", -EVER_MS), readTimeMs(parameters, "end", EVER_MS)];
  return toListOptions({ match, fromMs, toMs });
}

/** `labels` */
export async function answerLabels(call: Call): Promise<Answered> {
  const limit = readLimit(call.parameters);
  return listed(call.store.labelNames(await optionsOf(call)), limit, JSON.stringify);
}

/** `label/<name>/values` */
export async function answerLabelValues(call: Call): Promise<Answered> {
  const limit = readLimit(call.parameters);
  const label = unescapeName(call.subject);
  if (label === "") throw new ApiError("bad_data", `invalid label name: ${JSON.stringify(label)}`);
  return listed(call.store.labelValues(label, await optionsOf(call)), limit, JSON.stringify);
}

/** Names that are not plain may be written with U__ in front: `_` is `__`, other characters `_<hex>_`. */
function unescapeName(name: string): string {
  if (!name.startsWith(ESCAPED)) return name;
  return name
    .slice(ESCAPED.length)
    .replaceAll(/__|_([0-9a-fA-F]{1,6})_/g, (_, code: string | undefined) =>
      code === undefined ? "_" : String.fromCodePoint(Math.min(Number.parseInt(code, 16), 0x10ffff)),
    );
}

/** `series` */
export async function answerSeries(call: Call): Promise<Answered> {
  const limit = readLimit(call.parameters);
  const match = call.parameters.all("match[]");
  if (match.length === 0) throw new ApiError("bad_data", "no match[] parameter provided");
  const options = await optionsOf(call, match);
  // Between two moments that are the wrong way round there is nothing.
  const found = options.fromMs > options.toMs ? [] : call.store.series(options);
  return listed(found, limit, labelsJson);
}

/** `metadata`: one entry a metric, as the store keeps the newest. */
export function answerMetadata({ parameters, store }: Call): Answered {
  const limit = readMost(parameters, "limit");
  // There is no more than one, so that any limit of them holds.
  readMost(parameters, "limit_per_metric");
  const wanted = parameters.text("metric");
  const all = store.metadata().filter(({ metric }) => wanted === "" || metric === wanted);
  const entries = all.slice(0, limit).map(({ metric, type, help, unit }) => {
    return `${JSON.stringify(metric)}:[${JSON.stringify({ type, help, unit })}]`;
  });
  return { data: `{${entries.join(",")}}` };
}
