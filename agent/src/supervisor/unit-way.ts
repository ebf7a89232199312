import { execFile } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { isSameProcess, readProcess } from "../system/process-table.ts";
import { quote, watchProcess } from "./launch.ts";
import { createPortProof } from "./port-proof.ts";
import { endTree, killTree, type Tree } from "./process-tree.ts";
import type { Exit, Life, Order, Way } from "./way.ts";

const run = promisify(execFile);
const LOGS = ["stdout.log", "stderr.log"];
/** systemd kills what a main process leaves behind after this time; until then it is asked to end. */
const REMAINS_TIMEOUT = "5s";
/** From the last process's end until systemd has said how it was. */
const WORD_TIMEOUT_MS = 10_000;
const WORD_LOOK_MS = 20;
/** The words of systemd.exec(5) about the end, whole or not at all. */
const TELL_END = 'echo "$SERVICE_RESULT $EXIT_CODE $EXIT_STATUS" >"$1.new" && /bin/mv "$1.new" "$1"\n';

export interface UnitWayOptions {
  /** Names this agent in the environment of its processes. */
  agentId: string;
  /** For what systemd reads: of this account alone, and gone with the machine's boot. */
  runtimeDirectory: string;
}

/** Whether instances can be units: systemd is the first process, and this account may tell it what to do. */
export function hasUnits(): boolean {
  return process.getuid?.() === 0 && existsSync("/run/systemd/system");
}

/**
 * Runs instances as transient services of systemd (systemd-run(1)): they are no children of the
 * agent, systemd limits them, and it writes down how they ended even while no agent is there.
 */
export function createUnitWay({ agentId, runtimeDirectory }: UnitWayOptions): Way {
  const directory = join(runtimeDirectory, "units");
  const nameOf = (id: string) => `mainstay-${agentId.slice(0, 8)}-${id}.service`;
  const endFileOf = (logDirectory: string) => join(logDirectory, "ended");
  const marksOf = (id: string) => ({ MAINSTAY_INSTANCE: id, MAINSTAY_AGENT: agentId });

  async function launch(order: Order): Promise<Life> {
    const { id, logDirectory } = order;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    mkdirSync(logDirectory, { recursive: true });
    for (const name of LOGS) closeSync(openSync(join(logDirectory, name), "a", 0o640));
    rmSync(endFileOf(logDirectory), { force: true });
    const script = join(directory, `${id}.sh`);
    // Neither a command line nor a property of the unit may hold the variables: both can be read by anybody.
    writeFileSync(script, scriptOf(order), { mode: 0o600 });
    const teller = join(directory, "tell-end.sh");
    writeFileSync(teller, TELL_END, { mode: 0o600 });
    const properties = propertiesOf(
      order,
      `/bin/sh ${[teller, endFileOf(logDirectory)].map(word).join(" ")}`,
    );
    await systemd("systemd-run", [
      ...["--quiet", "--collect", "--no-ask-password", `--unit=${nameOf(id)}`],
      ...properties.map((each) => `--property=${each}`),
      ...["--", "/usr/bin/env", "-i", "/bin/sh", script],
    ]).catch((error: unknown) => {
      // What never started cannot remove it.
      rmSync(script, { force: true });
      throw error;
    });
    const shown = await systemd("systemctl", ["show", "--property=MainPID", "--value", nameOf(id)]);
    return live(order, Number(shown), readProcess(Number(shown))?.startTicks ?? 0);
  }

  function live(order: Order, pid: number, startTicks: number): Life {
    // Without the unit's control group: there systemd's own word about the end is written as well.
    const tree: Tree = { pid, startTicks, marks: marksOf(order.id) };
    const ended = watchProcess(pid, startTicks).then(() => awaitWord(endFileOf(order.logDirectory)));
    // systemd ends what left the session and hid its marks. Often nothing is there to be stopped any more.
    const stop = () => systemd("systemctl", ["stop", nameOf(order.id)]).then(nothing, nothing);
    return {
      ...{ pid, startTicks, handle: null, exited: ended },
      proof: order.port === null ? () => null : createPortProof(order.port, tree),
      end: (timeoutMs) => endTree(tree, timeoutMs).then(stop),
      kill: () => killTree(tree).then(stop),
    };
  }

  return {
    name: "unit",
    launch,
    adopt: (order, { pid, startTicks }) =>
      isSameProcess(pid, startTicks) ? live(order, pid, startTicks) : null,
    findOnce: ({ logDirectory }) => awaitWord(endFileOf(logDirectory)),
    async endLeft({ id, pid, startTicks }, timeoutMs, sparesSuccessor) {
      await endTree({ pid, startTicks, marks: sparesSuccessor ? {} : marksOf(id) }, timeoutMs);
    },
  };
}

const nothing = (): void => {};

async function systemd(program: string, args: string[]): Promise<string> {
  const { stdout } = await run(program, args).catch((error: Error & { stderr?: string }) => {
    throw new Error(error.stderr?.trim() || error.message, { cause: error });
  });
  return stdout.trim();
}

/**
 * What the unit runs: the logs (a drop-in for all services of a machine would decide otherwise), the
 * variables, then the command in its place. Nothing of it stays on the disk.
 */
function scriptOf({ command, environment, logDirectory, input }: Order): string {
  const [out, errors] = LOGS.map((name) => quote(join(logDirectory, name)));
  const variables = Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}`);
  const source = quote(input ?? "/dev/null");
  const lines = ['/bin/rm -f "$0"', `exec <${source} >>${out} 2>>${errors}`, ...variables];
  return [...lines, `exec /bin/sh -c ${quote(`exec ${command}`)}`, ""].join("\n");
}

function propertiesOf({ id, service, directory, resources }: Order, tellEnd: string): string[] {
  const { memoryBytes = null, cpu = null } = resources ?? {};
  return [
    `Description=${service}: ${id}`,
    "Type=exec",
    "Restart=no",
    "StartLimitIntervalSec=0",
    `WorkingDirectory=${directory}`,
    "StandardOutput=null",
    "StandardError=null",
    "KillMode=control-group",
    `TimeoutStopSec=${REMAINS_TIMEOUT}`,
    `ExecStopPost=${tellEnd}`,
    "OOMPolicy=kill",
    ...(memoryBytes === null ? [] : [`MemoryMax=${memoryBytes}`, "MemorySwapMax=0"]),
    ...(cpu === null ? [] : [`CPUQuota=${Math.max(1, Math.round(cpu * 100))}%`]),
  ];
}

/** As one word in a line of a unit (systemd.syntax(7)). */
function word(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%")}"`;
}

/** How systemd says that it ended; nothing is known of it when it says nothing. */
async function awaitWord(file: string): Promise<Exit> {
  for (let waitedMs = 0; waitedMs < WORD_TIMEOUT_MS; waitedMs += WORD_LOOK_MS) {
    if (existsSync(file)) return readWord(readFileSync(file, "utf8"));
    await sleep(WORD_LOOK_MS, undefined, { ref: false });
  }
  return { code: null, signal: null };
}

/** "<SERVICE_RESULT> <EXIT_CODE> <EXIT_STATUS>", such as "exit-code exited 7" or "signal killed TERM". */
export function readWord(text: string): Exit {
  const [result, kind, status = ""] = text.trim().split(" ");
  const cause = result === "oom-kill" ? { cause: "memory" as const } : {};
  if (kind === "exited") return { code: Number(status), signal: null, ...cause };
  return { code: null, signal: status === "" ? null : `SIG${status}`, ...cause };
}
