import { labelValue, type Labels } from "../../labels.ts";
import type { BlockReader } from "../block/block-reader.ts";
import { compileMatcher, type CompiledMatcher } from "../index/compiled-matcher.ts";
import type { RetentionRule, TierSettings } from "../settings.ts";
import type { StoreState } from "../store-state.ts";
import { rewriteBlocks } from "./rewrite.ts";

/** What stands for "no rule" among the rules that were applied to a block. */
const DEFAULT_RULE = "(default)";

/**
 * Removes blocks whose time is over, and series whose own
 * time is; then the oldest beyond the bytes of their tier.
 */
export async function applyRetention(state: StoreState): Promise<void> {
  const { limits, blocks, settings } = state;
  const nowMs = settings.clock.now();
  const rules = limits.retentionRules.map(compileRule);
  for (const block of [...blocks.all()]) {
    const tier = limits.tiers.find((each) => each.resolutionMs === block.meta.resolutionMs);
    if (tier !== undefined)
      await expire(state, { block, rules, over: overRules(rules, block, { tier, nowMs }) });
  }
  for (const tier of limits.tiers) dropBeyondBytes(state, tier);
}

interface CompiledRule extends RetentionRule {
  compiled: readonly CompiledMatcher[];
}

function compileRule(rule: RetentionRule): CompiledRule {
  return { ...rule, compiled: rule.matchers.map(compileMatcher) };
}

/** Names of the rules by which a block is too old. */
function overRules(
  rules: readonly CompiledRule[],
  block: BlockReader,
  { tier, nowMs }: { tier: TierSettings; nowMs: number },
): string[] {
  const isOver = (keepMs: number) => block.meta.maxMs <= nowMs - keepMs;
  const named = rules
    .filter((rule) => isOver(rule.keepMs.get(tier.resolutionMs) ?? tier.keepMs))
    .map((rule) => rule.name);
  return isOver(tier.keepMs) ? [...named, DEFAULT_RULE] : named;
}

interface Expiry {
  block: BlockReader;
  rules: readonly CompiledRule[];
  over: string[];
}

async function expire(state: StoreState, { block, rules, over }: Expiry): Promise<void> {
  if (over.length === 0) return;
  if (over.length === rules.length + 1) {
    state.blocks.remove(block);
    state.counts.expiredBlocks++;
    return;
  }
  if (over.every((name) => block.meta.appliedRules.includes(name))) return;
  const names = new Set(over);
  const drops = (labels: Labels) => names.has(ruleFor(rules, labels));
  await rewriteBlocks(state, { sources: [block], drops, appliedRules: over });
}

function ruleFor(rules: readonly CompiledRule[], labels: Labels): string {
  const rule = rules.find(({ compiled }) =>
    compiled.every((matcher) => matcher.matches(labelValue(labels, matcher.name))),
  );
  return rule?.name ?? DEFAULT_RULE;
}

function dropBeyondBytes({ blocks, counts }: StoreState, { resolutionMs, keepBytes }: TierSettings): void {
  const oldestFirst = blocks.all().filter((each) => each.meta.resolutionMs === resolutionMs);
  let heldBytes = oldestFirst.reduce((sum, { meta }) => sum + meta.pagesBytes + meta.indexBytes, 0);
  for (const block of oldestFirst) {
    if (heldBytes <= keepBytes) return;
    heldBytes -= block.meta.pagesBytes + block.meta.indexBytes;
    blocks.remove(block);
    counts.expiredBlocks++;
  }
}
