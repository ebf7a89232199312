export { labelsOfTarget, type TargetDraft, type TargetLabels, type TargetSettings } from "./target-labels.ts";
export {
  compileRelabelling,
  findRuleError,
  RELABEL_ACTIONS,
  RELABEL_DEFAULTS,
  type Relabel,
  type RelabelRule,
} from "./relabel.ts";
export type { LabelLimits } from "./sample-labels.ts";
export type { ScrapedBatch, ScrapedExemplar } from "./scraped-batch.ts";
export { createTargetSeries, type Scrape, type TargetRules, type TargetSeries } from "./target-series.ts";
