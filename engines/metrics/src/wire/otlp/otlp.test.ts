import { describe, expect, it } from "vitest";
import { BYTES, FIXED_64, tagOf, VARINT } from "../protobuf/proto-reader.ts";
import { ProtoWriter } from "../protobuf/proto-writer.ts";
import { metricNameOf } from "./prometheus-names.ts";
import { readOtlp } from "./read-otlp.ts";
import { readOtlpJson } from "./read-otlp-json.ts";
import type { OtlpRequest } from "./otlp-model.ts";
import { translateOtlp, type OtlpSink } from "./translate-otlp.ts";

const TIME_NS = "1700000000000000000";
const TIME_MS = 1_700_000_000_000;
const RESOURCE = {
  attributes: [
    { key: "service.name", value: { stringValue: "shop" } },
    { key: "service.instance.id", value: { stringValue: "a" } },
    { key: "host.name", value: { stringValue: "one" } },
  ],
};

const POINT = { timeUnixNano: TIME_NS, attributes: [{ key: "http.route", value: { stringValue: "/" } }] };

function requestOf(...metrics: object[]): string {
  return JSON.stringify({ resourceMetrics: [{ resource: RESOURCE, scopeMetrics: [{ metrics }] }] });
}

function translate(request: OtlpRequest, promotedAttributes: string[] = []) {
  const series: string[] = [];
  const histograms: object[] = [];
  const rejected: string[] = [];
  const families: string[] = [];
  const text = (labels: readonly (readonly [string, string])[]) =>
    labels.map(([name, value]) => (name === "__name__" ? value : `${name}=${value}`)).join(" ");
  const sink: OtlpSink = {
    sample: ({ labels, value, isStale, timestampMs }) => {
      expect(timestampMs).toBe(TIME_MS);
      series.push(`${text(labels)} → ${isStale ? "stale" : value}`);
    },
    histogram: ({ labels, histogram }) => histograms.push({ labels: text(labels), histogram }),
    metadata: (family, { type }) => families.push(`${family} ${type}`),
    reject: (points, reason) => rejected.push(`${points}: ${reason}`),
  };
  translateOtlp(request, { promotedAttributes }, sink);
  return { series, histograms, rejected, families };
}

const sum = (more: object) => ({
  name: "http.server.requests",
  unit: "{request}",
  sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [{ ...POINT, asInt: "42" }], ...more },
});

describe("metrics of OpenTelemetry in JSON", () => {
  it("become series with job, instance and a target_info for the rest of the resource", () => {
    const { series, families } = translate(readOtlpJson(requestOf(sum({}))));
    expect(series).toEqual([
      "http_server_requests_total job=shop instance=a http_route=/ → 42",
      "target_info job=shop instance=a host_name=one → 1",
    ]);
    expect(families).toEqual(["http_server_requests_total counter"]);
  });

  it("have times in whole milliseconds, those of target_info included", () => {
    const dataPoints = [{ ...POINT, timeUnixNano: "1700000000000123456", asInt: "42" }];
    expect(translate(readOtlpJson(requestOf(sum({ dataPoints })))).series).toHaveLength(2);
  });

  it("carry attributes of their resource where that is wanted", () => {
    expect(translate(readOtlpJson(requestOf(sum({}))), ["host.name"]).series[0]).toBe(
      "http_server_requests_total job=shop instance=a host_name=one http_route=/ → 42",
    );
  });

  it("are refused with their number and the reason when they are differences", () => {
    const request = readOtlpJson(requestOf(sum({ aggregationTemporality: "AGGREGATION_TEMPORALITY_DELTA" })));
    expect(translate(request)).toMatchObject({
      series: [],
      rejected: ["1: http.server.requests: its temporality is delta, only cumulative is kept"],
    });
  });

  it("become classic histograms where they have bounds", () => {
    const point = { ...POINT, count: 6, sum: 9.5, explicitBounds: [0.5, 1], bucketCounts: ["1", "2", "3"] };
    const metric = { name: "d", unit: "s", histogram: { aggregationTemporality: 2, dataPoints: [point] } };
    expect(translate(readOtlpJson(requestOf(metric))).series.slice(0, 5)).toEqual([
      "d_seconds_bucket job=shop instance=a http_route=/ le=0.5 → 1",
      "d_seconds_bucket job=shop instance=a http_route=/ le=1 → 3",
      "d_seconds_bucket job=shop instance=a http_route=/ le=+Inf → 6",
      "d_seconds_sum job=shop instance=a http_route=/ → 9.5",
      "d_seconds_count job=shop instance=a http_route=/ → 6",
    ]);
  });

  it("become native histograms where they are exponential, their indexes one higher", () => {
    const point = { ...POINT, count: 6, sum: 9, scale: 1, zeroCount: 1 };
    const positive = { offset: -1, bucketCounts: [2, 0, 3] };
    const metric = {
      ...{ name: "d", unit: "s" },
      exponentialHistogram: { aggregationTemporality: 2, dataPoints: [{ ...point, positive }] },
    };
    expect(translate(readOtlpJson(requestOf(metric))).histograms).toMatchObject([
      {
        labels: "d_seconds job=shop instance=a http_route=/",
        histogram: {
          ...{ schema: 1, count: 6, sum: 9, zeroCount: 1 },
          positive: { indexes: Int32Array.of(0, 2), counts: Float64Array.of(2, 3) },
        },
      },
    ]);
  });

  it("are made coarser where they are finer than Prometheus knows: no count is lost", () => {
    const positive = { offset: 0, bucketCounts: [1, 1, 1, 1, 1] };
    const point = { ...POINT, count: 5, scale: 9, positive };
    const metric = { name: "d", exponentialHistogram: { aggregationTemporality: 2, dataPoints: [point] } };
    expect(translate(readOtlpJson(requestOf(metric))).histograms).toMatchObject([
      {
        histogram: {
          schema: 8,
          positive: { indexes: Int32Array.of(1, 2, 3), counts: Float64Array.of(2, 2, 1) },
        },
      },
    ]);
  });

  it("end a series where no value was recorded", () => {
    const metric = { name: "g", gauge: { dataPoints: [{ ...POINT, flags: 1 }] } };
    expect(translate(readOtlpJson(requestOf(metric))).series[0]).toBe(
      "g job=shop instance=a http_route=/ → stale",
    );
  });

  it.each([
    ["no JSON", "{", "the body is no JSON"],
    ["a list that is none", '{"resourceMetrics":{}}', "resourceMetrics is not an array"],
    [
      "a number that is none",
      requestOf({ name: "g", gauge: { dataPoints: [{ asInt: "x" }] } }),
      "resourceMetrics[0].scopeMetrics[0].metrics[0].gauge.dataPoints[0].asInt is not a number",
    ],
  ])("are refused when they are %s", (_, text, reason) => {
    expect(() => readOtlpJson(text)).toThrow(reason);
  });
});

describe("metrics of OpenTelemetry in protobuf", () => {
  const writer = new ProtoWriter();
  const field = (number: number, write: () => void) => {
    writer.varint(tagOf(number, BYTES));
    writer.within(write);
  };
  const text = (number: number, value: string) => {
    writer.varint(tagOf(number, BYTES));
    writer.text(value);
  };
  const attribute = (number: number, key: string, value: string) =>
    field(number, () => {
      text(1, key);
      field(2, () => text(1, value));
    });
  field(1, () => {
    field(1, () => RESOURCE.attributes.forEach(({ key, value }) => attribute(1, key, value.stringValue)));
    field(2, () => {
      field(2, () => {
        text(1, "http.server.requests");
        text(3, "{request}");
        field(7, () => {
          field(1, () => {
            writer.varint(tagOf(3, FIXED_64));
            writer.fixed64(TIME_MS * 1e6);
            writer.varint(tagOf(6, FIXED_64));
            writer.fixed64(42);
            attribute(7, "http.route", "/");
          });
          writer.varint(tagOf(2, VARINT));
          writer.varint(2);
          writer.varint(tagOf(3, VARINT));
          writer.varint(1);
        });
      });
    });
  });

  it("say the same as in JSON", () => {
    const read = readOtlp(writer.finish());
    expect(translate(read)).toEqual(translate(readOtlpJson(requestOf(sum({})))));
  });

  it("are refused when they are cut off", () => {
    const bytes = writer.finish();
    expect(() => readOtlp(bytes.subarray(0, bytes.length - 3))).toThrow(/at byte/);
  });
});

describe("the name of a metric", () => {
  const named = (name: string, unit: string, kind: "counter" | "gauge" | "other" = "other") =>
    metricNameOf({ name, unit, isCounter: kind === "counter", isGauge: kind === "gauge" });

  it.each([
    ["system.disk.io", "By", "counter", "system_disk_io_bytes_total"],
    ["request.duration", "ms", "other", "request_duration_milliseconds"],
    ["request.duration.milliseconds", "ms", "other", "request_duration_milliseconds"],
    ["cpu.utilization", "1", "gauge", "cpu_utilization_ratio"],
    ["speed", "m/s", "gauge", "speed_meters_per_second"],
    ["active_users", "{user}", "gauge", "active_users"],
    ["things.total", "", "counter", "things_total"],
    ["2xx", "", "gauge", "_2xx"],
  ] as const)("%s in %s as a %s is %s", (name, unit, kind, expected) => {
    expect(named(name, unit, kind)).toBe(expected);
  });
});
