import {
  AppError,
  LENGTH_HEADER,
  newUpload,
  OFFSET_HEADER,
  PIECE_CONTENT_TYPE,
  uploadResource,
  type UploadResource,
} from "@mainstay/api";
import { z } from "zod";
import { reply, type Headers, type Http } from "../../kernel/http/index.ts";
import type { Upload, Uploads } from "./uploads.ts";

const idParam = z.object({ id: z.string() });

/** The shape of tus 1.0 and of the IETF's resumable uploads: create, ask for the offset, append. */
export function addUploadsRoutes(http: Http, uploads: Uploads): void {
  http.route({
    method: "POST",
    url: "/api/v1/uploads",
    permission: "releases.write",
    scope: "somewhere",
    summary: "Announce an archive, or find the upload of it that was cut off",
    body: newUpload,
    response: uploadResource,
    statuses: [201],
    handler: async ({ body, actor }) => toResource(await uploads.announce(body, actor)),
  });
  http.route({
    method: "HEAD",
    url: "/api/v1/uploads/:id",
    permission: "releases.write",
    scope: "somewhere",
    summary: "How much of an upload has arrived, in the header Upload-Offset",
    params: idParam,
    response: z.undefined(),
    handler: async ({ params, actor }) => {
      await uploads.demandOwn(params.id, actor);
      return bare(await uploads.find(params.id), 200);
    },
  });
  http.route({
    method: "PATCH",
    url: "/api/v1/uploads/:id",
    permission: "releases.write",
    scope: "somewhere",
    summary: "Append a piece that begins at the header Upload-Offset",
    params: idParam,
    takes: [PIECE_CONTENT_TYPE],
    response: z.undefined(),
    statuses: [204],
    handler: async ({ params, headers, content, actor }) => {
      await uploads.demandOwn(params.id, actor);
      return bare(await uploads.append(params.id, { offsetBytes: offsetIn(headers), content }), 204);
    },
  });
}

function offsetIn(headers: Headers): number {
  const text = headers[OFFSET_HEADER];
  if (typeof text === "string" && /^\d{1,15}$/.test(text)) return Number(text);
  const message = "expected the byte at which this piece begins";
  throw new AppError("REQUEST_INVALID", {}, { errors: [{ path: `headers.${OFFSET_HEADER}`, message }] });
}

function bare({ offsetBytes, sizeBytes }: Upload, status: number) {
  const headers = { [OFFSET_HEADER]: String(offsetBytes), [LENGTH_HEADER]: String(sizeBytes) };
  return reply({ status, headers, body: undefined });
}

function toResource({ expiresAt, ...upload }: Upload): UploadResource {
  return { ...upload, expiresAt: expiresAt.toISOString() };
}
