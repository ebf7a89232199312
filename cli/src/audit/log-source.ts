import type { LogSource } from "@mainstay/tlog";
import type { ApiClient } from "../api-client.ts";

export interface RecordedSource extends LogSource {
  /** Every file that was read, as it was. */
  files: ReadonlyMap<string, Uint8Array>;
}

/** The log of a server; each file is asked for once, so that the checkpoint stays the same throughout. */
export function createServerSource(api: Pick<ApiClient, "file">): RecordedSource {
  const files = new Map<string, Uint8Array>();
  return {
    files,
    async read(path) {
      const known = files.get(path);
      if (known !== undefined) return known;
      const bytes = await api.file(`/audit/log/${path}`);
      if (bytes !== null) files.set(path, bytes);
      return bytes;
    },
  };
}
