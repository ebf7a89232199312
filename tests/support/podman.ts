import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { createTemporaryDirectory } from "./temporary.ts";
import { waitUntil } from "./wait-until.ts";

/** What images are made of here: one static program that is a shell and a web server as well. */
export const BUSYBOX = "/bin/busybox";

/** Whether Debian's packages podman, runc and busybox-static are here, and this account may use them. */
export const HAS_PODMAN =
  process.getuid?.() === 0 &&
  existsSync(BUSYBOX) &&
  spawnSync("podman", ["--version"]).error === undefined &&
  spawnSync("runc", ["--version"]).error === undefined;

/** Podman behind a socket, with images and containers of its own. */
export interface Podman {
  socket: string;
  /** Runs `podman <args>` on the same images and containers; answers what it printed. */
  run(...args: string[]): string;
  /** The service behind the socket goes away and comes back; containers run on. */
  stopService(): Promise<void>;
  startService(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Containers work even where the machine is a container itself: files are copied instead of layered (vfs),
 * runc takes mixed control groups, and limits of open files stay below what this account may set.
 */
const ENGINE = (place: string) => `
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=1000:1000"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "runc"
tmp_dir = "${place}/tmp"
`;
const STORAGE = (place: string) => `
[storage]
driver = "vfs"
graphroot = "${place}/graph"
runroot = "${place}/run"
`;
const REGISTRIES = `
unqualified-search-registries = []
[[registry]]
location = "127.0.0.1"
insecure = true
`;

export async function startPodman(): Promise<Podman> {
  const home = createTemporaryDirectory();
  const file = (name: string): string => path.join(home.path, name);
  await mkdir(file("tmp"));
  await writeFile(file("containers.conf"), ENGINE(home.path));
  await writeFile(file("storage.conf"), STORAGE(home.path));
  await writeFile(file("registries.conf"), REGISTRIES);
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: home.path,
    CONTAINERS_CONF: file("containers.conf"),
    CONTAINERS_STORAGE_CONF: file("storage.conf"),
    CONTAINERS_REGISTRIES_CONF: file("registries.conf"),
  };
  const socket = file("podman.sock");
  // What watches over containers notes in its working directory that one ran out of memory.
  const place = { env, cwd: home.path };

  function launch() {
    return spawn("podman", ["system", "service", "--time", "0", `unix://${socket}`], {
      ...place,
      stdio: "ignore",
    });
  }
  function run(...args: string[]): string {
    const { stdout, stderr, status } = spawnSync("podman", args, { ...place, encoding: "utf8" });
    if (status !== 0) throw new Error(`podman ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  let service = launch();
  const podman: Podman = {
    socket,
    run,
    async stopService() {
      const exit = once(service, "exit");
      service.kill("SIGKILL");
      await exit;
    },
    async startService() {
      service = launch();
      await untilAnswering();
    },
    async stop() {
      run("rm", "--all", "--force", "--time", "0");
      await podman.stopService();
      home.remove();
    },
  };
  const untilAnswering = () =>
    waitUntil("podman to answer", () => {
      const asked = spawnSync("podman", ["--remote", "--url", `unix://${socket}`, "version"], place);
      return asked.status === 0;
    });
  await untilAnswering();
  return podman;
}
