import { z } from "zod";

/** What a file of the directory says about how the service runs. */
export interface Findings {
  /** The file it comes from. */
  from: string;
  service?: string;
  /** Command lines by name, in the file's order. */
  processes: Record<string, string>;
  /** Run once per release, before it gets traffic. */
  release?: string;
  /** What a person should know: one sentence each. */
  notes: string[];
}

const packageFile = z.object({
  name: z.string().optional(),
  main: z.string().optional(),
  scripts: z.record(z.string(), z.string()).default({}),
  engines: z.record(z.string(), z.string()).default({}),
});

const WORKER_SCRIPTS = ["worker", "scheduler"];

/** Processes of a package.json: its scripts `start`, `worker` and `scheduler`; null when it is none. */
export function readPackage(text: string, hasServerFile: boolean): Findings | null {
  const parsed = packageFile.safeParse(parseJson(text));
  if (!parsed.success) return null;
  const { name, main, scripts, engines } = parsed.data;
  const findings: Findings = { from: "package.json", processes: {}, notes: [] };
  if (name) findings.service = name;
  if (scripts["start"] !== undefined) findings.processes["web"] = commandOf("start", scripts["start"]);
  else if (hasServerFile) findings.processes["web"] = "node server.js";
  else if (main) findings.processes["web"] = `node ${main}`;
  for (const each of WORKER_SCRIPTS)
    if (scripts[each] !== undefined) findings.processes[each] = commandOf(each, scripts[each]);
  if (engines["node"])
    findings.notes.push(`It asks for Node ${engines["node"]}: "node" is the one on the server's PATH.`);
  if (scripts["build"] !== undefined)
    findings.notes.push('It has a script "build": run it before you deploy; nothing is built on the server.');
  return findings;
}

/** A script that only starts node does not need npm, which would stand between it and its signals. */
function commandOf(name: string, script: string): string {
  const isPlainNode = /^node\s+[^&|;<>$`]+$/.test(script.trim());
  return isPlainNode ? script.trim() : `npm run ${name}`;
}

/** Process types of a Procfile, `release` among them; null when no line is one. */
export function readProcfile(text: string): Findings | null {
  const findings: Findings = { from: "Procfile", processes: {}, notes: [] };
  for (const line of text.split(/\r?\n/)) {
    const [, name, command] = /^([A-Za-z0-9_-]+):\s*(\S.*)$/.exec(line) ?? [];
    if (name === undefined || command === undefined) continue;
    if (name === "release") findings.release = command.trim();
    else findings.processes[name] = command.trim();
  }
  return Object.keys(findings.processes).length > 0 || findings.release !== undefined ? findings : null;
}

interface Instruction {
  name: string;
  rest: string;
}

/** The command and the port of a Dockerfile's last stage; null when it starts nothing. */
export function readDockerfile(text: string): Findings | null {
  const instructions = instructionsOf(text);
  const stage = instructions.slice(instructions.findLastIndex((each) => each.name === "FROM") + 1);
  const last = (name: string) => stage.findLast((each) => each.name === name)?.rest;
  const words = [last("ENTRYPOINT"), last("CMD")].flatMap((each) => (each ? [commandLine(each)] : []));
  if (words.length === 0) return null;
  const findings: Findings = { from: "Dockerfile", processes: { web: words.join(" ") }, notes: [] };
  const exposed = /^\d+/.exec(last("EXPOSE") ?? "")?.[0];
  if (exposed)
    findings.notes.push(
      `The image listens on ${exposed}; here two releases run side by side: it must listen on the variable PORT.`,
    );
  if (stage.some((each) => each.name === "ENV"))
    findings.notes.push("It sets variables with ENV: those the service needs belong under env:.");
  findings.notes.push(
    "The command runs on the server itself, not in the image: what RUN installs must be there.",
  );
  return findings;
}

/** Lines that end with a backslash go on in the next one; comments and blank lines mean nothing. */
function instructionsOf(text: string): Instruction[] {
  const lines = text.split(/\r?\n/).filter((line) => !/^\s*(#|$)/.test(line));
  return lines
    .join("\n")
    .replace(/\\[ \t]*\n/g, " ")
    .split("\n")
    .flatMap((line) => {
      const [, name, rest] = /^\s*([A-Za-z]+)\s+(.*\S)\s*$/.exec(line) ?? [];
      return name === undefined || rest === undefined ? [] : [{ name: name.toUpperCase(), rest }];
    });
}

/** The exec form is a JSON array of words; anything else is a line for a shell. */
function commandLine(rest: string): string {
  const words = z.array(z.string()).min(1).safeParse(parseJson(rest));
  return words.success ? words.data.map(quoted).join(" ") : rest;
}

function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
