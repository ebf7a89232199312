import { counter, type Family } from "../family.ts";
import type { MachineFiles } from "../machine-files.ts";

/** Ends of containers' cables, of which there is a new one for each container. */
const LEFT_OUT = /^(veth|cali|cilium|lxc|tap|ifb)/;

/** Ours, and the figure's position behind the name in /proc/net/dev (proc_pid_net(5)). */
const FIGURES: [name: string, position: number, help: string][] = [
  ["receive_bytes_total", 0, "Bytes that came in."],
  ["receive_packets_total", 1, "Packets that came in."],
  ["receive_errs_total", 2, "Packets that came in damaged."],
  ["receive_drop_total", 3, "Packets that came in and were dropped."],
  ["transmit_bytes_total", 8, "Bytes that went out."],
  ["transmit_packets_total", 9, "Packets that went out."],
  ["transmit_errs_total", 10, "Packets that could not be sent."],
  ["transmit_drop_total", 11, "Packets that were to go out and were dropped."],
];

export function networkMetrics({ read }: Pick<MachineFiles, "read">): Family[] {
  const found = [...(read("/proc/net/dev") ?? "").matchAll(/^\s*([^\s:]+):\s*(.*)$/gm)];
  const rows = found.filter(([, device = ""]) => !LEFT_OUT.test(device));
  return FIGURES.map(([name, position, help]) =>
    counter(
      `mainstay_host_network_${name}`,
      help,
      rows.map(([, device = "", figures = ""]) => {
        return { labels: { device }, value: Number(figures.split(/\s+/)[position]) };
      }),
    ),
  );
}
