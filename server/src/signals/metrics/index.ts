export { createAppendBatch, type AppendBatchBuilder } from "./append-batch.ts";
export { createMetricsRoom, type MetricsRoom } from "./metrics.ts";
export {
  MetricsError,
  type AppendBatch,
  type AppendOutcome,
  type InstantRequest,
  type LabelPair,
  type MetricsFault,
  type MetricsStore,
  type RangeRequest,
  type Refused,
  type SeriesRequest,
  type StoreStats,
} from "./metrics-store.ts";
export { configText } from "./scraping/config-text.ts";
export { createScraper, type Scraper } from "./scraping/scraper.ts";
export { addMetricsRoutes, type MetricsRoutesDependencies } from "./routes/routes.ts";
export type {
  ActiveAlert,
  ActiveTarget,
  AlertingRule,
  DroppedTarget,
  PoolView,
  RecordingRule,
  RuleGroup,
  RulesView,
  TargetsView,
} from "./routes/views.ts";
