import type { ServiceResource } from "@mainstay/api";
import { formatDuration } from "@mainstay/api/plain";
import type { Command } from "commander";
import { show, type Context } from "../context.ts";
import { durationOption } from "../options.ts";
import type { WithContext } from "./deploy.ts";

const DEFAULT_RETRY_AFTER_MS = 300_000;

interface MaintenanceOptions {
  environment: string;
  retryAfter?: number;
  reason?: string;
}

/** `mainstay maintenance on|off <service>`: the page that stands in for a service. */
export function addMaintenance(program: Command, withContext: WithContext): void {
  const maintenance = program
    .command("maintenance")
    .description("Put a page in the place of a service, and take it away again");
  maintenance
    .command("on <service>")
    .description("Answer every request 503 with a page and the time to come back at")
    .option("--environment <name>", "of the service", "production")
    .option("--retry-after <duration>", "what visitors are told to wait (default 5m)", durationOption)
    .option("--reason <text>", "for the audit log")
    .addHelpText(
      "after",
      '\nInstances go on running, open connections stay.\n\nExample:\n  mainstay maintenance on shop --retry-after 15m --reason "new disks"',
    )
    .action((service: string, options: MaintenanceOptions) =>
      withContext((context) => order(context, service, { ...options, on: true })),
    );
  maintenance
    .command("off <service>")
    .description("Let the service answer again")
    .option("--environment <name>", "of the service", "production")
    .option("--reason <text>", "for the audit log")
    .addHelpText("after", "\nExample:\n  mainstay maintenance off shop")
    .action((service: string, options: MaintenanceOptions) =>
      withContext((context) => order(context, service, { ...options, on: false })),
    );
}

async function order(
  context: Context,
  service: string,
  { environment, on, retryAfter, reason }: MaintenanceOptions & { on: boolean },
): Promise<void> {
  const retryAfterMs = retryAfter ?? DEFAULT_RETRY_AFTER_MS;
  const answer = await context.api.post<ServiceResource>(
    `/services/${encodeURIComponent(service)}/maintenance`,
    { environment, on, retryAfterSeconds: Math.ceil(retryAfterMs / 1000), reason: reason ?? null },
  );
  show(context, answer, () =>
    on
      ? `${service} shows the maintenance page; visitors are told to come back in ${formatDuration(retryAfterMs)}`
      : `${service} answers again`,
  );
}
