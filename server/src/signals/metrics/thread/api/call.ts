import type { MetricsStore as Store } from "@mainstay/metrics/tsdb";
import type { Clock } from "../../../../kernel/clock.ts";
import type { Parameters } from "../../parameters.ts";
import type { QueryLog } from "../query-log.ts";
import type { ThreadSettings } from "../settings.ts";

/** What the questions of the API are answered from. */
export interface ApiContext {
  store: Store;
  settings: ThreadSettings;
  clock: Clock;
  queryLog: QueryLog;
}

export interface Call extends ApiContext {
  parameters: Parameters;
  /** What stands in the address, as the name of a label does. */
  subject: string;
}

/** What a question comes to: `data` is JSON already. */
export type Answered =
  | { data: string; warnings?: readonly string[]; infos?: readonly string[] }
  | { text: string; contentType: string };

/** The warning that goes with an answer that was cut short. */
export const CUT = "results truncated due to limit";

/** The first items of a list as JSON, with a warning when there are more. */
export function listed<T>(items: readonly T[], limit: number, toJson: (item: T) => string): Answered {
  const data = `[${items.slice(0, limit).map(toJson).join(",")}]`;
  return items.length > limit ? { data, warnings: [CUT] } : { data };
}
