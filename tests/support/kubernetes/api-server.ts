import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { mergePatch, serverSideApply } from "./apply.ts";
import {
  apiVersionOf,
  basePath,
  causesAgainst,
  kubernetesObject,
  RESOURCES,
  type Cause,
  type KubernetesObject,
  type Resource,
} from "./objects.ts";
import { ownable, type Key, type ObjectStore } from "./object-store.ts";

const MERGE_PATCH = "application/merge-patch+json";
const APPLY_PATCH = "application/apply-patch+yaml";

/** A refusal as the API server words it: an object of kind Status. */
class Refusal extends Error {
  readonly code: number;
  readonly reason: string;
  readonly causes: Cause[];

  constructor(code: number, reason: string, about: { message: string; causes?: Cause[] }) {
    super(about.message);
    this.code = code;
    this.reason = reason;
    this.causes = about.causes ?? [];
  }
}

interface Request {
  method: string;
  resource: Resource;
  namespace: string;
  name: string | undefined;
  query: URLSearchParams;
  contentType: string;
  body: string;
}

/**
 * A double of the Kubernetes API server: over real HTTP, with the paths, refusals and versions of the real
 * one as far as a driver uses them, and every object held against the schema that Kubernetes publishes.
 */
export async function startApiServer(store: ObjectStore) {
  const faults = {
    /** Connections are cut before anything is done. */
    isDown: false,
    /** So many writes are carried out, and their answers lost. */
    lostAnswers: 0,
  };
  const refusals: { code: number; reason: string; message: string }[] = [];

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    if (faults.isDown) return void incoming.socket.destroy();
    try {
      const request = read(incoming, await text(incoming));
      if (request.method === "GET" && request.query.has("watch")) return watch(request, response);
      const result = act(request);
      if (request.method !== "GET" && faults.lostAnswers > 0) {
        faults.lostAnswers -= 1;
        return void incoming.socket.destroy();
      }
      send(response, request.method === "POST" ? 201 : 200, result);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { code, reason, message, causes } = error;
      refusals.push({ code, reason, message });
      const status = {
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        code,
        reason,
        message,
      };
      send(response, code, causes.length > 0 ? { ...status, details: { causes } } : status);
    }
  }

  function act(request: Request): unknown {
    if (request.name === undefined) {
      if (request.method === "GET") return list(request);
      if (request.method === "POST") return create(request);
    } else {
      if (request.method === "GET") return mustFind(request);
      if (request.method === "PUT") return replace(request);
      if (request.method === "PATCH") return patch(request);
      if (request.method === "DELETE") return remove(request);
    }
    throw new Refusal(405, "MethodNotAllowed", { message: "the server does not allow this method" });
  }

  function list({ resource, namespace, query }: Request): unknown {
    const wanted = (query.get("labelSelector") ?? "").split(",").filter((each) => each !== "");
    const isWanted = ({ metadata }: KubernetesObject) =>
      wanted.every((each) => metadata.labels?.[each.split("=")[0] ?? ""] === each.split("=")[1]);
    return {
      apiVersion: apiVersionOf(resource),
      kind: `${resource.kind}List`,
      metadata: { resourceVersion: store.version() },
      items: store.list(`${resource.plural}/${namespace}/`).filter(isWanted),
    };
  }

  function create(request: Request): KubernetesObject {
    const object = parse(request);
    const named = { ...request, name: object.metadata.name };
    if (store.get(keyOf(named)))
      throw new Refusal(409, "AlreadyExists", { message: `${titleOf(named)} already exists` });
    return write(named, object);
  }

  function replace(request: Request): KubernetesObject {
    mustFind(request);
    const object = parse(request);
    mustBeCurrent(request, object.metadata.resourceVersion);
    return write(request, object);
  }

  function patch(request: Request): KubernetesObject {
    if (request.contentType === APPLY_PATCH) return apply(request);
    if (request.contentType !== MERGE_PATCH)
      throw new Refusal(415, "UnsupportedMediaType", { message: `unsupported: ${request.contentType}` });
    const patched = kubernetesObject.parse(mergePatch(mustFind(request), parseJson(request.body)));
    mustBeCurrent(request, patched.metadata.resourceVersion);
    return write(request, patched);
  }

  function apply(request: Request): KubernetesObject {
    const manager = request.query.get("fieldManager");
    if (manager === null)
      throw new Refusal(422, "Invalid", { message: "fieldManager: Required value: for apply patch" });
    const wanted = parse(request);
    const key = keyOf(request);
    const live = store.get(key);
    if (live?.metadata.deletionTimestamp !== undefined)
      throw new Refusal(409, "Conflict", { message: `${titleOf(request)} is being deleted` });
    const { object, owners, conflicts } = serverSideApply(ownable(live), store.owners(key), {
      wanted: ownable(wanted),
      manager,
    });
    if (conflicts.length > 0 && request.query.get("force") !== "true") {
      const causes = conflicts.map(({ path, manager: theirs }) => ({
        reason: "FieldManagerConflict",
        message: `conflict with "${theirs}"`,
        field: path.slice(1).replaceAll("/", "."),
      }));
      throw new Refusal(409, "Conflict", {
        message: `Apply failed with ${causes.length} conflict(s)`,
        causes,
      });
    }
    const { metadata, spec } = object;
    const merged = kubernetesObject.parse({
      ...(live ?? wanted),
      spec,
      metadata: { ...(live ?? wanted).metadata, ...(metadata as object) },
    });
    mustBeValid(request, merged);
    return isDryRun(request) ? merged : store.write(key, merged, { owners });
  }

  /** Everything but the status of an object that others depend on goes at once. */
  function remove(request: Request): unknown {
    const object = mustFind(request);
    const isForeground = request.query.get("propagationPolicy") === "Foreground";
    if (isForeground && request.resource.plural === "deployments") store.markDeleted(keyOf(request));
    else store.remove(keyOf(request));
    return object;
  }

  function write(request: Request, object: KubernetesObject): KubernetesObject {
    mustBeValid(request, object);
    if (isDryRun(request)) return object;
    return store.write(keyOf(request), object, { manager: request.query.get("fieldManager") ?? "unknown" });
  }

  function mustFind(request: Request): KubernetesObject {
    const object = store.get(keyOf(request));
    if (!object) throw new Refusal(404, "NotFound", { message: `${titleOf(request)} not found` });
    return object;
  }

  function mustBeCurrent(request: Request, version: string | undefined): void {
    const current = mustFind(request).metadata.resourceVersion;
    if (version === undefined || version === current) return;
    const advice =
      "the object has been modified; please apply your changes to the latest version and try again";
    throw new Refusal(409, "Conflict", {
      message: `Operation cannot be fulfilled on ${titleOf(request)}: ${advice}`,
    });
  }

  function mustBeValid(request: Request, object: KubernetesObject): void {
    const causes = causesAgainst(request.resource, object, store.get(keyOf(request)));
    if (causes.length === 0) return;
    const words = causes.map(({ field, message }) => `${field}: ${message}`).join(", ");
    throw new Refusal(422, "Invalid", { message: `${titleOf(request)} is invalid: ${words}`, causes });
  }

  /** What is there now, then what happens, a line each, until the client goes. */
  function watch(request: Request, response: ServerResponse): void {
    const { plural } = request.resource;
    const prefix = `${plural}/${request.namespace}/`;
    const tell = (event: unknown): void => void response.write(`${JSON.stringify(event)}\n`);
    response.writeHead(200, { "content-type": "application/json" });
    for (const object of store.list(prefix)) tell({ type: "ADDED", object });
    const end = store.onEvent((key, event) => {
      if (key.startsWith(prefix)) tell(event);
    });
    response.once("close", end);
  }

  const server = createServer((incoming, response) => void answer(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    faults,
    refusals,
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function read({ method = "GET", url = "/", headers }: IncomingMessage, body: string): Request {
  const { pathname, searchParams: query } = new URL(url, "http://cluster");
  for (const resource of RESOURCES) {
    const base = `${basePath(resource)}/namespaces/`;
    if (!pathname.startsWith(base)) continue;
    const [namespace = "", plural, name, ...rest] = pathname.slice(base.length).split("/");
    if (plural !== resource.plural || rest.length > 0) continue;
    return { method, resource, namespace, name, query, contentType: headers["content-type"] ?? "", body };
  }
  throw new Refusal(404, "NotFound", { message: "the server could not find the requested resource" });
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Refusal(400, "BadRequest", { message: "the body is not JSON" });
  }
}

/** The object of the body, which must be what its path says. */
function parse({ resource, namespace, name, body }: Request): KubernetesObject {
  const parsed = kubernetesObject.safeParse(parseJson(body));
  if (!parsed.success) throw new Refusal(400, "BadRequest", { message: parsed.error.message });
  const { apiVersion, kind, metadata } = parsed.data;
  const isOfPath =
    apiVersion === apiVersionOf(resource) &&
    kind === resource.kind &&
    (name === undefined || metadata.name === name) &&
    (metadata.namespace ?? namespace) === namespace;
  if (!isOfPath)
    throw new Refusal(400, "BadRequest", { message: "the object does not match the path of the request" });
  return { ...parsed.data, metadata: { ...metadata, namespace } };
}

function isDryRun({ query }: Request): boolean {
  return query.get("dryRun") === "All";
}

function keyOf({ resource, namespace, name = "" }: Request): Key {
  return `${resource.plural}/${namespace}/${name}`;
}

function titleOf({ resource, name }: Request): string {
  return `${resource.plural}${resource.group === "" ? "" : `.${resource.group}`} "${name}"`;
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
