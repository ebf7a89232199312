import { regexProblem } from "../label-regex.ts";
import { matchesEmpty } from "../matcher.ts";
import {
  type Aggregate,
  type Binary,
  type Call,
  type Expr,
  isComparison,
  isSetOperator,
  type ValueType,
  type VectorSelector,
} from "./ast.ts";
import { quote } from "./literals.ts";
import { SIGNATURES } from "./signatures.ts";
import type { Source } from "./source.ts";

/** The names under which Prometheus documents its types. */
const DOCUMENTED: Readonly<Record<ValueType, string>> = {
  scalar: "scalar",
  string: "string",
  vector: "instant vector",
  matrix: "range vector",
};

/** The type of what an expression yields. */
export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case "number":
      return "scalar";
    case "string":
      return "string";
    case "selector":
    case "aggregate":
      return "vector";
    case "matrix":
    case "subquery":
      return "matrix";
    case "call":
      return SIGNATURES.get(expr.name)?.returns ?? "vector";
    case "binary":
      return typeOf(expr.left) === "scalar" && typeOf(expr.right) === "scalar" ? "scalar" : "vector";
    case "unary":
    case "paren":
      return typeOf(expr.expr);
  }
}

/** Fails at the first part whose type does not fit. */
export function check(expr: Expr, source: Source): void {
  switch (expr.kind) {
    case "number":
    case "string":
      return;
    case "paren":
      return check(expr.expr, source);
    case "selector":
      return checkSelector(expr, source);
    case "matrix":
      return checkSelector(expr.selector, source);
    case "aggregate":
      return checkAggregate(expr, source);
    case "binary":
      return checkBinary(expr, source);
    case "call":
      return checkCall(expr, source);
    case "unary": {
      check(expr.expr, source);
      const type = typeOf(expr.expr);
      if (type === "scalar" || type === "vector") return;
      const rule = "unary expression only allowed on expressions of type scalar or instant vector";
      return source.fail(expr.position, `${rule}, got ${quote(DOCUMENTED[type])}`);
    }
    case "subquery": {
      check(expr.expr, source);
      const type = typeOf(expr.expr);
      if (type === "vector") return;
      return source.fail(expr.position, `subquery is only allowed on instant vector, got ${type} instead`);
    }
  }
}

interface Expectation {
  type: ValueType;
  context: string;
}

function expectType(expr: Expr, { type, context }: Expectation, source: Source): void {
  check(expr, source);
  const actual = typeOf(expr);
  if (actual === type) return;
  source.fail(expr.position, `expected type ${DOCUMENTED[type]} in ${context}, got ${DOCUMENTED[actual]}`);
}

function checkAggregate({ expr, operator, parameter }: Aggregate, source: Source): void {
  expectType(expr, { type: "vector", context: "aggregation expression" }, source);
  if (parameter === null) return;
  const type = operator === "count_values" ? "string" : "scalar";
  expectType(parameter, { type, context: "aggregation parameter" }, source);
}

function checkSelector(selector: VectorSelector, source: Source): void {
  checkMatchers(selector, source);
  if (selector.name === "" && selector.matchers.every(matchesEmpty))
    source.fail(selector.position, "vector selector must contain at least one non-empty matcher");
}

/** Fails for a regular expression that is none, and for a name that is set twice. */
export function checkMatchers({ name, matchers, position }: VectorSelector, source: Source): void {
  for (const { operator, value } of matchers) {
    if (operator === "=" || operator === "!=") continue;
    const problem = regexProblem(value);
    if (problem !== null) source.fail(position, problem);
  }
  if (name === "") return;
  const other = matchers.slice(0, -1).find((matcher) => matcher.name === "__name__");
  if (other === undefined) return;
  source.fail(position, `metric name must not be set twice: ${quote(name)} or ${quote(other.value)}`);
}

function checkCall(call: Call, source: Source): void {
  const signature = SIGNATURES.get(call.name);
  if (signature === undefined) return source.fail(call.position, `unknown function with name "${call.name}"`);
  checkCount(call, source);
  if (call.name === "info") return checkInfo(call, source);
  for (const [index, arg] of call.args.entries()) {
    const type = signature.args[Math.min(index, signature.args.length - 1)];
    if (type !== undefined) expectType(arg, { type, context: `call to function "${call.name}"` }, source);
  }
}

function checkCount({ name, args, position }: Call, source: Source): void {
  const { args: types, variadic } = SIGNATURES.get(name) ?? { args: [], variadic: 0 };
  const got = `argument(s) in call to "${name}", got ${args.length}`;
  if (variadic === 0) {
    if (types.length !== args.length) source.fail(position, `expected ${types.length} ${got}`);
    return;
  }
  const least = types.length - 1;
  if (args.length < least) source.fail(position, `expected at least ${least} ${got}`);
  const most = least + variadic;
  if (variadic > 0 && args.length > most) source.fail(position, `expected at most ${most} ${got}`);
}

/**
 * The second argument of info() only carries matchers: it
 * may match everything, and names no metric outside them.
 */
function checkInfo({ args }: Call, source: Source): void {
  const [vector, selector] = args;
  if (vector !== undefined) {
    expectType(vector, { type: "vector", context: 'call to function "info"' }, source);
  }
  if (selector === undefined) return;
  if (selector.kind !== "selector") {
    return source.fail(selector.position, "expected label selectors only");
  }
  if (selector.name !== "") {
    source.fail(selector.position, "expected label selectors only, got vector selector instead");
  }
}

function checkBinary(expr: Binary, source: Source): void {
  const { left, right, operator, returnsBool, matching } = expr;
  check(left, source);
  check(right, source);
  const [leftType, rightType] = [typeOf(left), typeOf(right)];
  const between = { start: left.position.end, end: right.position.start };
  const at = source.query.slice(between.start, between.end).search(/\S/) + between.start;
  const operatorPosition = { start: at, end: between.end };
  if (returnsBool && !isComparison(operator)) {
    source.fail(operatorPosition, "bool modifier can only be used on comparison operators");
  }
  if (isComparison(operator) && !returnsBool && leftType === "scalar" && rightType === "scalar") {
    source.fail(operatorPosition, "comparisons between scalars must use BOOL modifier");
  }
  const twice =
    matching?.isOn === true ? matching.labels.find((label) => matching.include.includes(label)) : undefined;
  if (twice !== undefined) {
    source.fail(operatorPosition, `label ${quote(twice)} must not occur in ON and GROUP clause at once`);
  }
  for (const side of [left, right]) {
    const type = typeOf(side);
    if (type === "scalar" || type === "vector") continue;
    source.fail(side.position, "binary expression must contain only scalar and instant vector types");
  }
  checkMatching(expr, source);
  if (isSetOperator(operator) && (leftType === "scalar" || rightType === "scalar")) {
    source.fail(expr.position, `set operator "${operator}" not allowed in binary scalar expression`);
  }
}

function checkMatching({ left, right, operator, matching, position }: Binary, source: Source): void {
  if (matching === null) return;
  const isFilled = matching.fillLeft !== null || matching.fillRight !== null;
  if (typeOf(left) !== "vector" || typeOf(right) !== "vector") {
    if (matching.labels.length > 0)
      source.fail(position, "vector matching only allowed between instant vectors");
    if (isFilled) source.fail(position, "filling in missing series only allowed between instant vectors");
    return;
  }
  if (!isSetOperator(operator)) return;
  if (matching.cardinality !== "many-to-many") {
    source.fail(position, `no grouping allowed for "${operator}" operation`);
  }
  if (isFilled) source.fail(position, "filling in missing series not allowed for set operators");
}
