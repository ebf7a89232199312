import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { AppError } from "@mainstay/api";
import { z } from "zod";
import { basePath, kubernetesObject, RESOURCES, type KubernetesObject } from "./objects.ts";

const MANAGER = "mainstay";
/** The server changed, or made, the object meanwhile: read it again and decide anew. */
const CONFLICT = 409;

const status = z.object({ code: z.int(), reason: z.string(), message: z.string() });

/** An object as a driver wants it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  spec: object;
}

/**
 * What a driver says to a cluster. A refusal is an AppError and undoes the change; whatever
 * passes by itself has the status 503 or is no AppError, and is tried again. The catalogue has
 * no codes for clusters as long as no driver for them is shipped: the agent's say the same.
 */
export function createClusterClient({ url, namespace }: { url: string; namespace: string }) {
  function pathOf(kind: string, name = ""): string {
    const resource = RESOURCES.find((each) => each.kind === kind);
    if (!resource) throw new Error(`no resource for ${kind}`);
    return `${basePath(resource)}/namespaces/${namespace}/${resource.plural}${name === "" ? "" : `/${name}`}`;
  }

  async function call(method: string, path: string, more: { type?: string; body?: object } = {}) {
    const { type = "application/json", body } = more;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: body === undefined ? {} : { "content-type": type },
      body: body === undefined ? null : JSON.stringify(body),
    }).catch((error: unknown) => {
      throw new AppError("AGENT_UNREACHABLE", { reason: "the cluster is away" }, { cause: error });
    });
    const answer: unknown = await response.json();
    if (response.ok) return { code: response.status, answer };
    const { code, message } = status.parse(answer);
    if (code === 404 || code === CONFLICT) return { code, answer };
    if (code >= 500 || code === 429) throw new AppError("AGENT_UNREACHABLE", { reason: message });
    throw new AppError("AGENT_REFUSED", { reason: message });
  }

  async function get(kind: string, name: string): Promise<KubernetesObject | null> {
    const { code, answer } = await call("GET", pathOf(kind, name));
    return code === 404 ? null : kubernetesObject.parse(answer);
  }

  /** Makes the object what the manifest says, as far as the manifest says anything. */
  async function apply(manifest: Manifest, { isDryRun = false } = {}): Promise<void> {
    const { kind, metadata } = manifest;
    const query = `fieldManager=${MANAGER}&force=true${isDryRun ? "&dryRun=All" : ""}`;
    const type = "application/apply-patch+yaml";
    const { code } = await call("PATCH", `${pathOf(kind, metadata.name)}?${query}`, { type, body: manifest });
    if (code === CONFLICT)
      throw new Error(`${kind} ${metadata.name} is being deleted: it is made anew after that`);
  }

  /** Alters what is there by a rule, without losing what others write meanwhile. */
  async function alter(
    { kind, name }: { kind: string; name: string },
    rule: (object: KubernetesObject | null) => Manifest | KubernetesObject,
    { isDryRun = false } = {},
  ): Promise<void> {
    const query = `fieldManager=${MANAGER}${isDryRun ? "&dryRun=All" : ""}`;
    for (let attempt = 0; attempt < 5; attempt++) {
      const before = await get(kind, name);
      const { code } =
        before === null
          ? await call("POST", `${pathOf(kind)}?${query}`, { body: rule(null) })
          : await call("PUT", `${pathOf(kind, name)}?${query}`, { body: rule(before) });
      if (code < 300) return;
    }
    throw new Error(`${kind} ${name} changes too fast to be altered`);
  }

  /** Calls the listener at whatever happens to objects of this kind, until the connection ends. */
  async function watch(kind: string, onEvent: () => void, stop: AbortSignal): Promise<void> {
    const { body } = await fetch(`${url}${pathOf(kind)}?watch=1`, { signal: stop });
    if (!body) return;
    for await (const _line of createInterface({ input: Readable.fromWeb(body) })) onEvent();
  }

  return {
    get,
    apply,
    alter,
    watch,
    /** Gone is gone: deleting twice is no error. Its pods are drained before the object goes. */
    remove: (kind: string, name: string) =>
      call("DELETE", `${pathOf(kind, name)}?propagationPolicy=Foreground`),
  };
}
export type ClusterClient = ReturnType<typeof createClusterClient>;
