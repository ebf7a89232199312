import { newTask, page, taskResource, type TaskResource } from "@mainstay/api";
import { z } from "zod";
import { foundAt, onlyVisible, originOf, type Http } from "../../kernel/http/index.ts";
import type { Services } from "./services.ts";
import type { TaskRow } from "./tasks-store.ts";

const idParam = z.object({ id: z.string() });

export interface TasksRoutesDependencies {
  services: Services;
  /** Tells the agent what ought to run now. */
  sync(): Promise<unknown>;
  /** What a command has written so far, without secrets. */
  outputOf(row: TaskRow): Promise<string>;
}

/** Commands that run once: release commands, and what people run by hand. */
export function addTasksRoutes(http: Http, { services, sync, outputOf }: TasksRoutesDependencies): void {
  const { tasks } = services;
  const find = async ({ params: { id } }: { params: { id: string } }) =>
    foundAt(await tasks.task(id), `instance ${id}`, "tasks.read");
  http.route({
    method: "POST",
    url: "/api/v1/tasks",
    permission: "tasks.write",
    scope: ({ body: { service, environment } }) => ({ service, environment }),
    summary: "Run a command once, with the code and the variables of the release that serves",
    body: newTask,
    response: taskResource,
    handler: async ({ body, ...request }) => {
      const { command, timeoutMs, input, ...target } = body;
      const release = await services.settings.mustServe(target);
      await services.verifyRelease(release);
      await services.secretsOf(release);
      // A command that cannot start now must not start by surprise when the agent is back.
      await sync();
      const row = await tasks.run(release, { command, timeoutMs, input }, originOf(request));
      await sync();
      return toTask(row);
    },
  });
  http.route({
    method: "GET",
    url: "/api/v1/tasks",
    permission: "tasks.read",
    scope: "somewhere",
    summary: "The latest commands of a change or a service that ran once",
    query: z.object({
      change: z.string().optional(),
      service: z.string().optional(),
      environment: z.string().default("production"),
      limit: z.coerce.number().int().min(1).max(200).default(20),
    }),
    response: page(taskResource),
    handler: async ({ query: { change, service, environment, limit }, authenticated }) => {
      const ofService = () => (service === undefined ? [] : tasks.ofService({ service, environment }, limit));
      const rows = await (change === undefined ? ofService() : tasks.ofChange(change));
      return { items: onlyVisible(authenticated, "tasks.read", rows).map(toTask), next: null };
    },
  });
  http.route({
    method: "GET",
    url: "/api/v1/tasks/:id",
    permission: "tasks.read",
    scope: find,
    summary: "One command that ran once, or still does",
    params: idParam,
    response: taskResource,
    handler: async ({ params }) => toTask(await tasks.task(params.id)),
  });
  http.route({
    method: "POST",
    url: "/api/v1/tasks/:id/stop",
    permission: "tasks.write",
    scope: find,
    summary: "End a command that still runs, and everything it started",
    params: idParam,
    body: z.strictObject({}).prefault({}),
    response: taskResource,
    handler: async ({ params, ...request }) => {
      const row = await tasks.task(params.id);
      if (row.finished_at === null) {
        const reason = `stopped by ${request.actor.name}`;
        const end = { state: "stopped", exitCode: null, reason, output: await outputOf(row) } as const;
        await tasks.finish(row, end, originOf(request));
      }
      await sync();
      return toTask(await tasks.task(params.id));
    },
  });
}

function toTask(row: TaskRow): TaskResource {
  const { id, service, environment, release, kind, change, name, attempt, command, state } = row;
  const { reason, output } = row;
  return {
    ...{ id, service, environment, release, kind, change, name, attempt, command, state, reason, output },
    inputBytes: row.input_bytes === null ? null : Number(row.input_bytes),
    exitCode: row.exit_code,
    requestedBy: row.requested_by,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}
