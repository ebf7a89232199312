import { createHash } from "node:crypto";
import { once } from "node:events";
import { copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { BUSYBOX } from "./podman.ts";
import { createTemporaryDirectory } from "./temporary.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const LAYER = "application/vnd.oci.image.layer.v1.tar";
const PROGRAMS = ["sh", "httpd", "sleep", "cat", "echo", "env", "tail", "touch", "test"];

/** Says when it begins and ends, and serves /www with a health page, its own version and its variables. */
const APP = `#!/bin/sh
trap 'echo SIGTERM; exit 0' TERM
echo listening
echo started >&2
httpd -f -p "$PORT" -h /www &
wait
`;
const VARIABLES = "#!/bin/sh\necho 'content-type: text/plain'; echo; env\n";

/** A registry of images on loopback, as the distribution specification has it, for those who only pull. */
export interface Registry {
  /** "127.0.0.1:<port>" */
  host: string;
  /** Makes an image of the sample application that says this version; answers its name with its digest. */
  publish(name: string, tag: string, version: string): Promise<string>;
  stop(): Promise<void>;
}

interface Document {
  type: string;
  bytes: Buffer;
}

export async function startRegistry(): Promise<Registry> {
  const documents = new Map<string, Document>();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://registry");
    const found = documents.get(pathname);
    if (pathname !== "/v2/" && !found) {
      response.writeHead(404, { "content-type": "application/json" });
      return response.end(JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message: "unknown" }] }));
    }
    const { type, bytes } = found ?? { type: "application/json", bytes: Buffer.from("{}") };
    const headers = { "content-type": type, "content-length": bytes.length };
    response.writeHead(200, { ...headers, "docker-content-digest": digestOf(bytes) });
    return response.end(request.method === "HEAD" ? undefined : bytes);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  function put(
    name: string,
    type: string,
    bytes: Buffer,
  ): { mediaType: string; digest: string; size: number } {
    const digest = digestOf(bytes);
    documents.set(`/v2/${name}/blobs/${digest}`, { type, bytes });
    return { mediaType: type, digest, size: bytes.length };
  }

  return {
    host,
    async publish(name, tag, version) {
      const layer = await makeLayer(version);
      const config = {
        architecture: process.arch === "x64" ? "amd64" : process.arch,
        os: "linux",
        config: { Entrypoint: ["/bin/sh", "/app.sh"], Env: ["PATH=/bin"], WorkingDir: "/" },
        rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
      };
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: MANIFEST,
          config: put(name, CONFIG, Buffer.from(JSON.stringify(config))),
          layers: [put(name, LAYER, layer)],
        }),
      );
      const digest = digestOf(manifest);
      for (const reference of [tag, digest])
        documents.set(`/v2/${name}/manifests/${reference}`, { type: MANIFEST, bytes: manifest });
      return `${host}/${name}@${digest}`;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The whole file system of the image, from scratch, as a tar archive. */
async function makeLayer(version: string): Promise<Buffer> {
  const root = createTemporaryDirectory();
  const at = (name: string): string => path.join(root.path, name);
  for (const each of ["bin", "etc", "tmp", "www/cgi-bin"]) await mkdir(at(each), { recursive: true });
  await copyFile(BUSYBOX, at("bin/busybox"));
  for (const each of PROGRAMS) await symlink("busybox", at(`bin/${each}`));
  await writeFile(at("etc/passwd"), "root:x:0:0::/:/bin/sh\n");
  await writeFile(at("app.sh"), APP);
  await writeFile(at("www/index.html"), version);
  await writeFile(at("www/healthz"), "ok");
  await writeFile(at("www/cgi-bin/env"), VARIABLES, { mode: 0o755 });
  const archive = spawnSync("tar", ["-C", root.path, "-c", "."], { maxBuffer: 64 * 1024 ** 2 });
  root.remove();
  return archive.stdout;
}
