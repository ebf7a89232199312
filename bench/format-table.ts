import type { BenchTable } from "./bench.ts";

/** A table as text: columns of words to the left, columns of numbers to the right. */
export function formatTable({ title, columns, rows, notes }: BenchTable): string {
  const cells = [columns, ...rows.map((row) => row.map(String))];
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length)));
  const isNumeric = columns.map((_, column) =>
    rows.every((row) => /^[-–]?\d|^–$/.test(String(row[column] ?? ""))),
  );
  const lines = cells.map((row) =>
    widths
      .map((width, column) => {
        const text = row[column] ?? "";
        return isNumeric[column] ? text.padStart(width) : text.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
  const [head = "", ...body] = lines;
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  return ["", title, "", head, rule, ...body, ...notes.map((note) => `  ${note}`), ""].join("\n");
}
