import { describe, expect, it } from "vitest";
import type { Family } from "./family.ts";
import { diskMetrics } from "./host/disks.ts";
import { filesystemMetrics, readMounts } from "./host/filesystems.ts";
import { createGpuMetrics } from "./host/gpus.ts";
import { memoryMetrics } from "./host/memory.ts";
import { networkMetrics } from "./host/network.ts";
import { openFilesMetrics } from "./host/open-files.ts";
import { pressureMetrics } from "./host/pressure.ts";
import { processorMetrics } from "./host/processors.ts";
import { createHostMetrics } from "./host-metrics.ts";
import { MACHINE_FILES, type MachineFiles } from "./machine-files.ts";

const SPACE = { sizeBytes: 1000, freeBytes: 500, availableBytes: 400, files: 100, filesFree: 90 };

function machine(files: Record<string, string>): MachineFiles {
  return { read: (path) => files[path] ?? null, list: () => [], space: async () => SPACE };
}

/** `name{labels}` → value, without the part of the name that all have. */
function show(families: Family[]): Record<string, number> {
  return Object.fromEntries(
    families.flatMap(({ name, samples }) =>
      samples.map(({ labels, value }) => {
        const pairs = Object.entries(labels).map(([key, each]) => `${key}=${each}`);
        return [`${name.replace("mainstay_host_", "")}${pairs.length > 0 ? `{${pairs.join()}}` : ""}`, value];
      }),
    ),
  );
}

describe("the processors", () => {
  it("tell what they spent their time with, one by one, and what else is in the same file", () => {
    const stat = `cpu  300 0 0 0 0 0 0 0 0 0
cpu0 100 10 50 1000 20 3 4 5 60 0
cpu1 200 0 0 0 0 0 0 0 0 0
intr 5 0 0
ctxt 123
btime 1800000000
processes 77
procs_running 2
procs_blocked 1
softirq 1 2
`;
    expect(
      show(processorMetrics(machine({ "/proc/stat": stat, "/proc/loadavg": "0.50 1.25 2.00 1/2 3\n" }))),
    ).toMatchObject({
      ...{ "cpu_seconds_total{cpu=0,mode=user}": 1, "cpu_seconds_total{cpu=0,mode=nice}": 0.1 },
      ...{ "cpu_seconds_total{cpu=0,mode=idle}": 10, "cpu_seconds_total{cpu=0,mode=steal}": 0.05 },
      ...{
        "cpu_seconds_total{cpu=1,mode=user}": 2,
        context_switches_total: 123,
        boot_time_seconds: 1_800_000_000,
      },
      ...{ forks_total: 77, procs_running: 2, procs_blocked: 1, load1: 0.5, load5: 1.25, load15: 2 },
    });
  });
});

describe("memory", () => {
  it("is told in bytes; what the kernel does not tell is left out", () => {
    const text = "MemTotal:        2048 kB\nMemAvailable:    1024 kB\nHugePages_Total:       7\n";
    expect(show(memoryMetrics(machine({ "/proc/meminfo": text })))).toEqual({
      ...{ memory_total_bytes: 2_097_152, memory_available_bytes: 1_048_576 },
    });
  });
});

describe("pressure", () => {
  it("is told in seconds, for the processor without what cannot be", () => {
    const text = (some: number, full: number) =>
      `some avg10=0.00 avg60=0.00 avg300=0.00 total=${some}\nfull avg10=1.00 avg60=0.00 avg300=0.00 total=${full}\n`;
    const files = { "/proc/pressure/cpu": text(1_500_000, 9), "/proc/pressure/io": text(2_000_000, 500_000) };
    expect(show(pressureMetrics(machine(files)))).toEqual({
      pressure_cpu_waiting_seconds_total: 1.5,
      pressure_io_waiting_seconds_total: 2,
      pressure_io_stalled_seconds_total: 0.5,
    });
  });
});

describe("disks", () => {
  it("tell what they did, without partitions and what is none", () => {
    const text = `   8       0 sda 10 1 200 30 40 2 500 60 7 80 90 0 0 0 0 0 0
   8       1 sda1 1 1 1 1 1 1 1 1 1 1 1
   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0
 259       0 nvme0n1 1 0 8 1 0 0 0 0 0 0 0
`;
    const shown = show(diskMetrics(machine({ "/proc/diskstats": text })));
    expect(shown).toMatchObject({
      ...{ "disk_reads_completed_total{device=sda}": 10, "disk_read_bytes_total{device=sda}": 102_400 },
      ...{ "disk_read_time_seconds_total{device=sda}": 0.03, "disk_writes_completed_total{device=sda}": 40 },
      ...{
        "disk_written_bytes_total{device=sda}": 256_000,
        "disk_write_time_seconds_total{device=sda}": 0.06,
      },
      ...{ "disk_io_now{device=sda}": 7, "disk_io_time_seconds_total{device=sda}": 0.08 },
      ...{
        "disk_io_time_weighted_seconds_total{device=sda}": 0.09,
        "disk_read_bytes_total{device=nvme0n1}": 4096,
      },
    });
    expect(Object.keys(shown).filter((name) => /sda1|loop/.test(name))).toEqual([]);
  });
});

describe("file systems", () => {
  const MOUNTS = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
30 27 254:0 /data /srv/data rw - ext4 /dev/vda rw
31 27 254:1 / /mnt/my\\040disk ro,noatime - xfs /dev/vdb ro
32 27 0:40 / /mnt/far rw - nfs4 server:/far rw
33 27 0:41 / /var/lib/docker/overlay2/x rw - tmpfs tmpfs rw
34 27 0:42 / /home/me/drive rw - fuse.sshfs me@far rw
`;

  it("are those on disks of this machine, each once", () => {
    expect(readMounts(MOUNTS)).toEqual([
      { device: "/dev/vda", mountpoint: "/", type: "ext4", isReadOnly: false },
      { device: "/dev/vdb", mountpoint: "/mnt/my disk", type: "xfs", isReadOnly: true },
    ]);
  });

  it("include the root of a container", () => {
    expect(readMounts("1 0 0:50 / / rw - overlay overlay rw\n")).toMatchObject([{ type: "overlay" }]);
  });

  it("tell how full they are", async () => {
    const shown = show(await filesystemMetrics(machine({ "/proc/self/mountinfo": MOUNTS })));
    const labels = "{device=/dev/vda,mountpoint=/,fstype=ext4}";
    expect(shown).toMatchObject({
      ...{ [`filesystem_size_bytes${labels}`]: 1000, [`filesystem_free_bytes${labels}`]: 500 },
      ...{ [`filesystem_avail_bytes${labels}`]: 400, [`filesystem_files_free${labels}`]: 90 },
      ...{ "filesystem_readonly{device=/dev/vdb,mountpoint=/mnt/my disk,fstype=xfs}": 1 },
    });
  });

  it("that is gone meanwhile is left out", async () => {
    const files = { ...machine({ "/proc/self/mountinfo": MOUNTS }), space: async () => null };
    expect(show(await filesystemMetrics(files))).toEqual({});
  });
});

describe("the network", () => {
  it("tells what came in and went out, without the cables of containers", () => {
    const text = `Inter-|   Receive           |  Transmit
 face |bytes packets errs drop (…) |bytes packets errs drop (…)
  eth0: 100 2 3 4 0 0 0 0 500 6 7 8 0 0 0 0
veth12: 9 9 9 9 0 0 0 0 9 9 9 9 0 0 0 0
    lo:11 1 0 0 0 0 0 0 11 1 0 0 0 0 0 0
`;
    const shown = show(networkMetrics(machine({ "/proc/net/dev": text })));
    expect(shown).toMatchObject({
      ...{ "network_receive_bytes_total{device=eth0}": 100, "network_receive_drop_total{device=eth0}": 4 },
      ...{ "network_transmit_bytes_total{device=eth0}": 500, "network_transmit_errs_total{device=eth0}": 7 },
      ...{ "network_receive_bytes_total{device=lo}": 11 },
    });
    expect(Object.keys(shown)).toHaveLength(16);
  });
});

describe("open files", () => {
  it("are told with how many there may be", () => {
    expect(show(openFilesMetrics(machine({ "/proc/sys/fs/file-nr": "1389\t0\t65536\n" })))).toEqual({
      ...{ filefd_allocated: 1389, filefd_maximum: 65_536 },
    });
  });
});

describe("GPUs", () => {
  it("are asked by nvidia-smi; what one cannot tell is left out", async () => {
    const asked: string[] = [];
    const metrics = createGpuMetrics(async (program, [query = ""]) => {
      asked.push(`${program} ${query}`);
      return "0, NVIDIA A2, 25, 1024, 16384, 51, 30.5\n1, NVIDIA A2, 0, 0, 16384, 40, [N/A]\n";
    });
    expect(show(await metrics())).toMatchObject({
      "gpu_utilization_ratio{gpu=0,name=NVIDIA A2}": 0.25,
      "gpu_memory_used_bytes{gpu=0,name=NVIDIA A2}": 1_073_741_824,
      "gpu_temperature_celsius{gpu=1,name=NVIDIA A2}": 40,
      "gpu_power_watts{gpu=0,name=NVIDIA A2}": 30.5,
    });
    expect(Object.keys(show(await metrics()))).not.toContain("gpu_power_watts{gpu=1,name=NVIDIA A2}");
    expect(asked[0]).toMatch(/^nvidia-smi --query-gpu=index,name,/);
  });

  it("are not looked for again where there is no such program, but after a failure", async () => {
    for (const [code, times] of [
      ["ENOENT", 1],
      ["EAGAIN", 2],
    ] as const) {
      let calls = 0;
      const metrics = createGpuMetrics(() => {
        calls += 1;
        return Promise.reject(Object.assign(new Error("no"), { code }));
      });
      expect([...(await metrics()), ...(await metrics())]).toEqual([]);
      expect(calls).toBe(times);
    }
  });
});

describe("a machine", () => {
  it("that has none of these files tells nothing", async () => {
    expect(await createHostMetrics(machine({}))()).toEqual([]);
  });

  it.runIf(process.platform === "linux")("tells figures of every kind, each a number", async () => {
    const families = await createHostMetrics(MACHINE_FILES)();
    const names = families.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining([
        ...["mainstay_host_cpu_seconds_total", "mainstay_host_memory_available_bytes", "mainstay_host_load1"],
        ...["mainstay_host_filesystem_avail_bytes", "mainstay_host_network_receive_bytes_total"],
      ]),
    );
    for (const { name, samples } of families) {
      expect(name).toMatch(/^mainstay(_[a-z0-9]+){2,}$/);
      for (const { value } of samples) expect(value, name).toBeGreaterThanOrEqual(0);
    }
  });
});
