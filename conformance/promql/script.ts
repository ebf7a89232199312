/** What a test demands of a query, besides its series. */
export interface Expectation {
  type: "fail" | "warn" | "info" | "no_warn" | "no_info";
  match: "any" | "msg" | "regex";
  text: string;
}

export interface EvalCommand {
  kind: "eval";
  line: number;
  query: string;
  /** Null for an instant query. */
  range: { startMs: number; endMs: number; stepMs: number } | null;
  timeMs: number;
  expectations: Expectation[];
  isOrdered: boolean;
  expectedString: string | null;
  /** The moments of the values when the answer to an instant query is a range. */
  expectedRange: { startMs: number; stepMs: number } | null;
  /** Lines of the series that are expected. */
  expected: string[];
}

export type Command =
  | { kind: "clear" }
  | { kind: "load"; stepMs: number; isWithCustom: boolean; series: string[] }
  | EvalCommand;

/** Reads a file of the promqltest language; times are read by the function that is given. */
export function parseScript(text: string, timeMs: (text: string) => number): Command[] {
  const commands: Command[] = [];
  let current: Command | null = null;
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) {
      if (line === "") current = null;
      continue;
    }
    const command = parseCommand(line, index + 1, timeMs);
    if (command !== null) {
      commands.push(command);
      current = command;
    } else if (current?.kind === "load") current.series.push(line);
    else if (current?.kind === "eval") addDetail(current, line, timeMs);
    else throw new Error(`line ${index + 1} belongs to nothing: ${line}`);
  }
  return commands;
}

function parseCommand(line: string, number: number, timeMs: (text: string) => number): Command | null {
  if (line === "clear") return { kind: "clear" };
  const load = /^load(_with_nhcb)?\s+(\S+)$/.exec(line);
  if (load !== null) {
    return { kind: "load", stepMs: timeMs(load[2] ?? ""), isWithCustom: load[1] !== undefined, series: [] };
  }
  const found =
    /^eval(?:_(fail|warn|info|ordered))?\s+(?:instant\s+(?:at\s+(\S+)\s+)?|range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+)(.+)$/.exec(
      line,
    );
  if (found === null) return null;
  const [, mode, at, from, to, step, query = ""] = found;
  const isRange = from !== undefined;
  return {
    kind: "eval",
    line: number,
    query,
    range: isRange ? { startMs: timeMs(from), endMs: timeMs(to ?? ""), stepMs: timeMs(step ?? "") } : null,
    timeMs: isRange ? 0 : timeMs(at ?? "0"),
    expectations:
      mode === "fail" || mode === "warn" || mode === "info" ? [{ type: mode, match: "any", text: "" }] : [],
    isOrdered: mode === "ordered",
    expectedString: null,
    expectedRange: null,
    expected: [],
  };
}

function addDetail(command: EvalCommand, line: string, timeMs: (text: string) => number): void {
  const range = /^expect range vector from (\S+) to (\S+) step (\S+)$/.exec(line);
  const string = /^expect string (.*)$/.exec(line);
  const expectation = /^expect\s+(fail|warn|info|no_warn|no_info)(?:\s+(msg|regex):\s*(.*))?$/.exec(line);
  if (range !== null)
    command.expectedRange = { startMs: timeMs(range[1] ?? ""), stepMs: timeMs(range[3] ?? "") };
  else if (string !== null) command.expectedString = (string[1] ?? "").trim().slice(1, -1);
  else if (line === "expect ordered") command.isOrdered = true;
  else if (expectation !== null) command.expectations.push(toExpectation(expectation));
  else command.expected.push(line);
}

const TYPES: Readonly<Record<string, Expectation["type"]>> = {
  fail: "fail",
  warn: "warn",
  info: "info",
  no_warn: "no_warn",
  no_info: "no_info",
};

function toExpectation([, type = "", match, text = ""]: RegExpExecArray): Expectation {
  const how = match === "msg" || match === "regex" ? match : "any";
  return { type: TYPES[type] ?? "fail", match: how, text: text.trim() };
}
