import type { Matcher } from "../../storage.ts";
import { formatPlain } from "../numbers.ts";
import type { Aggregate, Binary, Duration, Expr, Shift, VectorMatching, VectorSelector } from "./ast.ts";
import { formatDurationMs, quote } from "./literals.ts";

const PLAIN_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** The expression in one line, in the one way in which Prometheus writes it. Parsed again it is the same. */
export function format(expr: Expr): string {
  switch (expr.kind) {
    case "number":
      return formatSeconds(expr);
    case "string":
      return quote(expr.value);
    case "paren":
      return `(${format(expr.expr)})`;
    case "unary":
      return `${expr.operator}${format(expr.expr)}`;
    case "call":
      return `${expr.name}(${expr.args.map(format).join(", ")})`;
    case "aggregate": {
      const args = expr.parameter === null ? [expr.expr] : [expr.parameter, expr.expr];
      return `${formatAggregation(expr)}(${args.map(format).join(", ")})`;
    }
    case "binary":
      return `${format(expr.left)} ${formatOperator(expr)} ${format(expr.right)}`;
    case "selector":
      return `${formatMatchers(expr)}${formatAt(expr)}${formatExtension(expr)}${formatOffset(expr)}`;
    case "matrix":
      return formatMatchers(expr.selector) + formatRangeSuffix(expr);
    case "subquery":
      return format(expr.expr) + formatSubquerySuffix(expr);
  }
}

/** What stands behind the braces of a range selector. */
function formatRangeSuffix({ range, selector }: Extract<Expr, { kind: "matrix" }>): string {
  return `[${formatDuration(range)}]${formatExtension(selector)}${formatAt(selector)}${formatOffset(selector)}`;
}

/** What stands behind the expression of a subquery. */
export function formatSubquerySuffix(subquery: Extract<Expr, { kind: "subquery" }>): string {
  const { range, step } = subquery;
  const stepText = step === null ? "" : formatDuration(step);
  return `[${formatDuration(range)}:${stepText}]${formatAt(subquery)}${formatOffset(subquery)}`;
}

function formatSeconds({ value, isDuration }: Extract<Expr, { kind: "number" }>): string {
  if (!isDuration) return formatPlain(value);
  const text = formatDurationMs(Math.round(Math.abs(value) * 1000));
  return value < 0 ? `-${text}` : text;
}

function formatDuration(duration: Duration): string {
  if (duration.kind === "number") return formatSeconds({ ...duration, isDuration: true });
  const text = formatDurationExpr(duration);
  return duration.isWrapped ? `(${text})` : text;
}

function formatDurationExpr({ operator, left, right }: Extract<Duration, { kind: "duration" }>): string {
  const [leftText, rightText] = [left, right].map((side) => (side === null ? "" : formatInside(side)));
  if (operator === "step" || operator === "range") return `${operator}()`;
  if (operator === "min_of" || operator === "max_of") return `${operator}(${leftText}, ${rightText})`;
  if (left === null) return operator === "-" ? `-${rightText}` : (rightText ?? "");
  return `${leftText} ${operator} ${rightText}`;
}

/** Within an expression a number stays a number: 2 * 5m is not 2s * 5m. */
function formatInside(duration: Duration): string {
  return duration.kind === "number" ? formatSeconds(duration) : formatDuration(duration);
}

export function formatAggregation({ operator, grouping, isWithout }: Aggregate): string {
  if (isWithout) return `${operator} without (${formatLabels(grouping)}) `;
  return grouping.length > 0 ? `${operator} by (${formatLabels(grouping)}) ` : operator;
}

function formatLabels(labels: readonly string[]): string {
  return labels.map((label) => (PLAIN_NAME.test(label) ? label : quote(label))).join(", ");
}

/** The operator of a binary expression with everything between its sides. */
export function formatOperator({ operator, returnsBool, matching }: Binary): string {
  return operator + (returnsBool ? " bool" : "") + (matching === null ? "" : formatMatching(matching));
}

function formatMatching({ cardinality, isOn, labels, include, fillLeft, fillRight }: VectorMatching): string {
  const isGrouped = cardinality === "many-to-one" || cardinality === "one-to-many";
  let text = "";
  if (labels.length > 0 || isOn || isGrouped)
    text += ` ${isOn ? "on" : "ignoring"} (${formatLabels(labels)})`;
  if (isGrouped)
    text += ` group_${cardinality === "many-to-one" ? "left" : "right"} (${formatLabels(include)})`;
  if (fillLeft !== null && fillLeft === fillRight) return `${text} fill (${formatPlain(fillLeft)})`;
  if (fillLeft !== null) text += ` fill_left (${formatPlain(fillLeft)})`;
  if (fillRight !== null) text += ` fill_right (${formatPlain(fillRight)})`;
  return text;
}

function formatMatchers({ name, matchers }: VectorSelector): string {
  const isName = (matcher: Matcher) =>
    matcher.name === "__name__" && matcher.operator === "=" && matcher.value === name;
  const texts = matchers.filter((matcher) => name === "" || !isName(matcher)).map(formatMatcher);
  if (texts.length === 0) return name === "" ? "{}" : name;
  return `${name}{${texts.toSorted().join(",")}}`;
}

function formatMatcher({ name, operator, value }: Matcher): string {
  return `${PLAIN_NAME.test(name) ? name : quote(name)}${operator}${quote(value)}`;
}

function formatAt({ at }: Shift): string {
  if (at === null) return "";
  return typeof at === "number" ? ` @ ${(at / 1000).toFixed(3)}` : ` @ ${at}()`;
}

function formatExtension({ extension }: VectorSelector): string {
  return extension === null ? "" : ` ${extension}`;
}

function formatOffset({ offset }: Shift): string {
  if (offset === null || (offset.kind === "number" && offset.value === 0)) return "";
  return ` offset ${formatDuration(offset)}`;
}
