import type { PlatformResource } from "@mainstay/api";
import { formatSize } from "@mainstay/api/plain";

/** "pulling shop:1.4, 34 MiB of 80 MiB"; engines tell the sizes late, and some not at all. */
export function pullWords({ image, doneBytes, totalBytes }: PlatformResource["pulls"][number]): string {
  const bytes = totalBytes === 0 ? "" : `, ${formatSize(doneBytes)} of ${formatSize(totalBytes)}`;
  return `pulling ${image}${bytes}`;
}
