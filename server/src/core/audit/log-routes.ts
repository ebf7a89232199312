import { AppError } from "@mainstay/api";
import { z } from "zod";
import { BYTES, reply, type Http } from "../../kernel/http/index.ts";
import type { AuditLog } from "./audit-log.ts";
import type { Audit } from "./audit.ts";
import { scopeOfEntry } from "./entry-scope.ts";

const TAGS = ["audit"];
const TEXT = "text/plain; charset=utf-8";
/** A checkpoint with its proof: at most 63 hashes, and a note. */
const REQUEST_BYTES = 64 * 1024;

interface LogRoutesDependencies {
  audit: Audit;
  auditLog: AuditLog;
  isPublic: boolean;
}

/** The log as others know it (C2SP tlog-tiles, tlog-proof, tlog-witness). */
export function addLogRoutes(http: Http, { audit, auditLog, isPublic }: LogRoutesDependencies): void {
  const permission = isPublic ? "public" : "audit.read";
  http.route({
    ...{ method: "GET", url: "/audit/log/checkpoint", permission, tags: TAGS },
    summary: "The newest signed checkpoint",
    response: BYTES,
    bytes: TEXT,
    handler: () => auditLog.file("checkpoint"),
  });
  http.route({
    ...{ method: "GET", url: "/audit/log/tile/*", permission, tags: TAGS },
    summary: "Hashes (tile/<level>/<number>) and entries (tile/entries/<number>) of the log",
    params: z.object({ "*": z.string() }),
    response: BYTES,
    bytes: "application/octet-stream",
    handler: ({ params }) => auditLog.file(`tile/${params["*"]}`),
  });
  http.route({
    ...{ method: "GET", url: "/audit/log/vkey", permission, tags: TAGS },
    summary: "The key that checkpoints are signed with",
    response: z.string(),
    contentType: TEXT,
    handler: async () => `${(await auditLog.status()).vkey ?? ""}\n`,
  });
  http.route({
    method: "GET",
    url: "/api/v1/audit/entries/:id/proof",
    permission: "audit.read",
    scope: ({ params }) => scopeOfEntry(audit, params.id),
    summary: "That an entry is in the log: a .tlog-proof file, verified without this server",
    tags: TAGS,
    params: z.object({ id: z.string().describe("id or index") }),
    response: z.string(),
    contentType: TEXT,
    handler: async ({ params }) => {
      const { entry } = await audit.find(params.id);
      if (entry.index === null) throw new AppError("AUDIT_NOT_IN_LOG", { index: entry.id });
      return auditLog.prove(entry.index);
    },
  });
  http.route({
    ...{ method: "POST", url: "/audit/witness/add-checkpoint", permission: "public", tags: TAGS },
    summary: "Checkpoints of logs that this platform is a witness of, kept and cosigned",
    takes: ["text/plain"],
    statuses: [200, 400, 403, 404, 409, 422],
    response: z.string(),
    contentType: TEXT,
    handler: async ({ content }) => {
      const { status, contentType, body } = await auditLog.addCheckpoint(await readText(content));
      return reply({ status, headers: { "content-type": contentType }, body });
    },
  });
}

async function readText(content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of content) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > REQUEST_BYTES) throw new AppError("REQUEST_OVER_MAXIMUM", { limitBytes: REQUEST_BYTES });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
