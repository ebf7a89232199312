import { writeFile } from "node:fs/promises";
import { loadConfig, runtimeDirectoryFor } from "@mainstay/server";
import type { Command } from "commander";
import { compilePlatform } from "../compile-platform.ts";
import { parentOptions } from "../parent-options.ts";

interface AgentEnvironmentOptions {
  config: string;
  file: string;
}

/**
 * `mainstay agent-environment`: for the unit of the agent alone. Its parent
 * process cannot read the configuration itself and keep the socket it was
 * handed: Node closes what it inherited when it becomes another program.
 */
export function addAgentEnvironment(program: Command): void {
  program
    .command("agent-environment", { hidden: true })
    .description("Write the options of data plane and agent as an EnvironmentFile of systemd")
    .requiredOption("--config <file>", "the platform's configuration")
    .requiredOption("--file <file>", "where to write")
    .action(write);
}

async function write({ config: configFile, file }: AgentEnvironmentOptions): Promise<void> {
  // The file alone: in the environment of the unit there are the options that were written the last time.
  const { config } = await loadConfig({ file: configFile, env: {}, cwd: process.cwd() });
  const { dataDirectory } = config;
  await compilePlatform(dataDirectory);
  const uid = process.getuid?.() ?? 0;
  const runtimeDirectory = await runtimeDirectoryFor({ dataDirectory, env: process.env, uid });
  const options = JSON.stringify(parentOptions(config, { dataDirectory, runtimeDirectory, server: null }));
  // In single quotes systemd leaves everything as it is; the quote itself has another spelling in JSON.
  await writeFile(file, `MAINSTAY_PARENT='${options.replaceAll("'", "\\u0027")}'\n`, { mode: 0o600 });
}
