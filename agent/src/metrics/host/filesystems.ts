import { gauge, type Family } from "../family.ts";
import type { MachineFiles, Space } from "../machine-files.ts";

/** File systems that take no space of a disk, or whose server may keep us waiting. */
const LEFT_OUT = new Set([
  ...["autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs"],
  ...["efivarfs", "erofs", "fusectl", "hugetlbfs", "iso9660", "mqueue", "nsfs", "overlay", "proc", "pstore"],
  ...["ramfs", "rpc_pipefs", "securityfs", "selinuxfs", "squashfs", "sysfs", "tracefs"],
  ...["9p", "afs", "ceph", "cifs", "glusterfs", "nfs", "nfs4", "smb3", "virtiofs"],
]);
const LEFT_OUT_PLACES =
  /^\/(dev|proc|sys|run\/(credentials|user)|var\/lib\/(docker|containers\/storage))(\/|$)/;
/** A machine of containers has many mounts; what is beyond is left out. */
const MOST = 64;

export interface Mount {
  device: string;
  mountpoint: string;
  type: string;
  isReadOnly: boolean;
}

/** What lies on disks, each file system once, under the shortest of its names (proc_pid_mountinfo(5)). */
export function readMounts(mountinfo: string): Mount[] {
  const byNumber = new Map<string, Mount>();
  for (const line of mountinfo.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const [, , number = "", , place = "", options = ""] = before.split(" ");
    const [type = "", device = ""] = after.split(" ");
    const mountpoint = unescape(place);
    // A container's own root is an overlay, and is what fills up.
    const isKept = !LEFT_OUT.has(type) || (type === "overlay" && mountpoint === "/");
    if (number === "" || !isKept || type.startsWith("fuse") || LEFT_OUT_PLACES.test(mountpoint)) continue;
    const known = byNumber.get(number);
    if (known && known.mountpoint.length <= mountpoint.length) continue;
    const isReadOnly = options.split(",").includes("ro");
    byNumber.set(number, { device: unescape(device), mountpoint, type, isReadOnly });
  }
  return [...byNumber.values()].slice(0, MOST);
}

/** How full they are. */
export async function filesystemMetrics({ read, space }: MachineFiles): Promise<Family[]> {
  const mounts = readMounts(read("/proc/self/mountinfo") ?? "");
  const found = await Promise.all(
    mounts.map(async (mount) => ({ mount, is: await space(mount.mountpoint) })),
  );
  const family = (name: string, help: string, valueOf: (is: Space, mount: Mount) => number) =>
    gauge(
      `mainstay_host_filesystem_${name}`,
      help,
      found.flatMap(({ mount, is }) => {
        const { device, mountpoint, type } = mount;
        return is ? [{ labels: { device, mountpoint, fstype: type }, value: valueOf(is, mount) }] : [];
      }),
    );
  return [
    family("size_bytes", "Its size.", (is) => is.sizeBytes),
    family("free_bytes", "What is free.", (is) => is.freeBytes),
    family("avail_bytes", "What is free for accounts without privileges.", (is) => is.availableBytes),
    family("files", "How many files it can hold.", (is) => is.files),
    family("files_free", "How many more files it can hold.", (is) => is.filesFree),
    family("readonly", "1: nothing can be written.", (_, { isReadOnly }) => (isReadOnly ? 1 : 0)),
  ];
}

/** Blanks and backslashes are written as octal numbers. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
