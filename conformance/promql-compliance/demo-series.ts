import { createLabels, setStaleAt } from "@mainstay/metrics/model";
import type { OutgoingSeries } from "@mainstay/metrics/wire";

export const SCRAPE_MS = 5_000;
const INSTANCES = ["demo.promlabs.com:10000", "demo.promlabs.com:10001", "demo.promlabs.com:10002"];
const BUCKETS = ["0.0001", "0.001", "0.01", "0.1", "1", "10", "+Inf"];
/** Scrapes for which the intermittent metric is there, and then is not. */
const INTERMITTENT = 60;

type Labels = Record<string, string>;
/** The value at the nth scrape; null: the series is not there. */
type Course = (scrape: number) => number | null;

interface Span {
  startMs: number;
  scrapes: number;
}

/** Series by the names and labels of PromLabs' demo service, with courses of our own. */
export function demoSeries({ startMs, scrapes }: Span): OutgoingSeries[] {
  const series = INSTANCES.flatMap((instance, index) => describeInstance(instance, index + 1));
  return series.map(({ labels, course }) => {
    return { labels: createLabels(Object.entries(labels)), ...sample(course, { startMs, scrapes }) };
  });
}

function describeInstance(instance: string, seed: number): { labels: Labels; course: Course }[] {
  const make = (name: string, labels: Labels, course: Course) => ({
    labels: { __name__: name, instance, job: "demo", ...labels },
    course,
  });
  const memory = ["buffers", "cached", "free", "used"].map((type, nth) =>
    make("demo_memory_usage_bytes", { type }, (scrape) =>
      Math.round(1e9 * (nth + seed + Math.sin(scrape / (20 + nth * 7)) + Math.cos(scrape / 3) / 9)),
    ),
  );
  const cpu = ["idle", "system", "user"].map((mode, nth) =>
    // Restarts now and then, each instance at moments of its own.
    make("demo_cpu_usage_seconds_total", { mode }, (scrape) => {
      const since = (scrape + seed * 70) % 400;
      return since * (nth + 0.31 * seed) + Math.sin(since) / 2 + 1;
    }),
  );
  const requests = ["/api/bar", "/api/foo", "/api/nonexistent"].flatMap((path, nth) =>
    ["GET", "POST"].flatMap((method) => {
      const rate = (nth + 1) * seed * (method === "GET" ? 3 : 1);
      const labels = { method, path, status: nth === 2 ? "404" : "200" };
      const name = "demo_api_request_duration_seconds";
      return [
        ...BUCKETS.map((le, rank) =>
          make(`${name}_bucket`, { ...labels, le }, (scrape) => Math.floor(rate * scrape * (rank / 6) ** 2)),
        ),
        make(`${name}_sum`, labels, (scrape) => rate * scrape * 0.037 + (scrape % 11) / 100),
        make(`${name}_count`, labels, (scrape) => rate * scrape),
      ];
    }),
  );
  return [
    ...memory,
    ...cpu,
    ...requests,
    make("demo_num_cpus", {}, () => seed * 2),
    make(
      "demo_disk_usage_bytes",
      {},
      (scrape) => 1e10 + scrape * 31_234 * seed + 5e6 * Math.sin(scrape / 40),
    ),
    make("demo_disk_total_bytes", {}, () => 5e11),
    make("demo_batch_last_success_timestamp_seconds", {}, (scrape) => 1.6e9 + Math.floor(scrape / 47) * 235),
    make("demo_intermittent_metric", {}, (scrape) =>
      Math.floor((scrape + seed * 17) / INTERMITTENT) % 2 === 0 ? 1 : null,
    ),
  ];
}

/** A series that goes away ends with a marker, as a scrape writes it. */
function sample(course: Course, { startMs, scrapes }: Span): Pick<OutgoingSeries, "timestampsMs" | "values"> {
  const timestampsMs: number[] = [];
  const values = new Float64Array(scrapes);
  let wasThere = false;
  for (let scrape = 0; scrape < scrapes; scrape += 1) {
    const value = course(scrape);
    if (value !== null) values[timestampsMs.length] = value;
    else if (wasThere) setStaleAt(values, timestampsMs.length);
    if (value !== null || wasThere) timestampsMs.push(startMs + scrape * SCRAPE_MS);
    wasThere = value !== null;
  }
  return { timestampsMs, values: values.subarray(0, timestampsMs.length) };
}
