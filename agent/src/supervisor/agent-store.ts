import type { DesiredState } from "@mainstay/api";
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import type { WorkerHttps, WorkerRouting } from "../proxy/worker-protocol.ts";
import { createSavedFile, makePrivateDirectory, readText, writeDurably } from "../system/durable-file.ts";
import type { Log } from "../system/log.ts";
import type { InstanceFacts } from "./instance.ts";
import { openJournal, type Journal } from "./journal.ts";

export interface SavedDesired {
  desired: DesiredState | null;
  leaseExpired: boolean;
}

export interface SavedProcesses {
  /** Of the machine: after another boot none of these processes exists any more. */
  machineBootId: string;
  processes: InstanceFacts[];
}

export interface AgentStore {
  agentId: string;
  /** Base64. */
  cookieKey: string;
  journal: Journal;
  saved: SavedDesired & { processes: SavedProcesses; revision: number; https: WorkerHttps | null };
  saveDesired(desired: SavedDesired): Promise<void>;
  saveProcesses(processes: SavedProcesses): Promise<void>;
  saveRouting(routing: WorkerRouting): Promise<void>;
  saveHttps(https: WorkerHttps): Promise<void>;
}

const KEY_BYTES = 32;

/** Everything the agent keeps on disk (docs/formats/agent.md). */
export async function openAgentStore(dataDirectory: string, log: Log): Promise<AgentStore> {
  const directory = join(dataDirectory, "agent");
  await makePrivateDirectory(directory);
  await makePrivateDirectory(join(dataDirectory, "keys"));
  const desiredPath = join(directory, "desired.json");
  const processesPath = join(directory, "processes.json");
  const routingPath = join(directory, "routing.json");
  const httpsPath = join(directory, "https.json");
  const routing = (await readSaved(routingPath, log)) as WorkerRouting | null;
  const processes = (await readSaved(processesPath, log)) as SavedProcesses | null;
  const desired = (await readSaved(desiredPath, log)) as SavedDesired | null;

  /** What cannot be saved still takes effect: a full disk must not keep anybody from going back. */
  function keep(path: string): (value: unknown) => Promise<void> {
    const file = createSavedFile(path);
    return (value) =>
      file.save(JSON.stringify(value)).catch((error: unknown) => {
        log.error({ path, error: String(error) }, "the agent's state could not be saved");
      });
  }

  return {
    agentId: await readOrMake(join(directory, "id"), randomUUID),
    cookieKey: await readOrMake(join(dataDirectory, "keys", "cookie.key"), () =>
      randomBytes(KEY_BYTES).toString("base64"),
    ),
    journal: await openJournal(join(directory, "journal.jsonl"), () => new Date()),
    saved: {
      desired: desired?.desired ?? null,
      leaseExpired: desired?.leaseExpired ?? false,
      processes: processes ?? { machineBootId: "", processes: [] },
      revision: routing?.revision ?? 0,
      https: (await readSaved(httpsPath, log)) as WorkerHttps | null,
    },
    saveDesired: keep(desiredPath),
    saveProcesses: keep(processesPath),
    saveRouting: keep(routingPath),
    saveHttps: keep(httpsPath),
  };
}

/** A file that is damaged is as good as none, but not without a word. */
async function readSaved(path: string, log: Log): Promise<unknown> {
  const text = await readText(path);
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    log.error({ path, error: String(error) }, "the agent's saved state is damaged and is left aside");
    return null;
  }
}

async function readOrMake(path: string, make: () => string): Promise<string> {
  const known = await readText(path);
  if (known !== null && known.trim() !== "") return known.trim();
  const made = make();
  await writeDurably(path, `${made}\n`);
  return made;
}
