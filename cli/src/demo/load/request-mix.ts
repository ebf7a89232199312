import { drawInteger, type Random } from "./random.ts";

export interface PlannedRequest {
  method: "GET" | "PUT";
  path: string;
  /** JSON text or plain text; null when nothing is sent. */
  body: string | null;
  contentType: string | null;
}

/** What a healthy application always answers with 2xx, however many instances share its data. */
export interface RequestMix {
  /** Sent once before the load; a 409 says that it is there already. */
  readonly preparation: readonly PlannedRequest[];
  drawGet(random: Random): PlannedRequest;
  /** `ordinal` counts the writes from 0. */
  drawPut(ordinal: number): PlannedRequest;
}

const PACKAGES = 100;
const TAGS = 5;
const TARBALL_BYTES = 2048;

/**
 * An npm registry: metadata, one version, its tarball, its tags; written are tags (`npm dist-tag add`).
 * Writes go through the packages in turn: verdaccio locks a package while it writes it, and a second writer
 * waits for 100 ms and more, which would look like a slow release.
 */
export function createRegistryMix(): RequestMix {
  const names = Array.from({ length: PACKAGES }, (_, index) => `demo-${String(index).padStart(3, "0")}`);
  const reads = names.map((name) => [
    `/${name}`,
    `/${name}/1.0.0`,
    tarballPath(name),
    `/-/package/${name}/dist-tags`,
  ]);

  return {
    preparation: names.map((name) => publish(name)),
    drawGet(random) {
      const paths = reads[drawInteger(random, PACKAGES)] ?? [];
      return read(paths[drawInteger(random, paths.length)] ?? "/-/ping");
    },
    drawPut(ordinal) {
      const tag = `tag-${Math.floor(ordinal / PACKAGES) % TAGS}`;
      return writeJson(`/-/package/${names[ordinal % PACKAGES]}/dist-tags/${tag}`, "1.0.0");
    },
  };
}

/** The service of examples/hello. */
export function createHelloMix(): RequestMix {
  return {
    preparation: [],
    drawGet: () => read("/"),
    drawPut: (ordinal) => ({
      method: "PUT",
      path: "/name",
      body: `visitor ${ordinal % 1000}`,
      contentType: "text/plain",
    }),
  };
}

export const MIX_NAMES = ["registry", "hello"] as const;
export const MIXES: Record<(typeof MIX_NAMES)[number], () => RequestMix> = {
  registry: createRegistryMix,
  hello: createHelloMix,
};

function read(path: string): PlannedRequest {
  return { method: "GET", path, body: null, contentType: null };
}

function writeJson(path: string, value: unknown): PlannedRequest {
  return { method: "PUT", path, body: JSON.stringify(value), contentType: "application/json" };
}

function tarballPath(name: string): string {
  return `/${name}/-/${name}-1.0.0.tgz`;
}

/** What `npm publish` sends; the registry stores the bytes of a tarball without looking into them. */
function publish(name: string): PlannedRequest {
  const tarball = Buffer.alloc(TARBALL_BYTES, name);
  const version = { name, version: "1.0.0", dist: { tarball: `http://localhost${tarballPath(name)}` } };
  const attachment = {
    content_type: "application/octet-stream",
    data: tarball.toString("base64"),
    length: tarball.length,
  };
  return writeJson(`/${name}`, {
    _id: name,
    name,
    "dist-tags": { latest: "1.0.0" },
    versions: { "1.0.0": version },
    _attachments: { [`${name}-1.0.0.tgz`]: attachment },
  });
}
