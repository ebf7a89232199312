import type { HeadSeries } from "./head-series.ts";

const PAGE_SERIES = 256;

interface Page {
  readonly series: (HeadSeries | undefined)[];
  live: number;
}

/**
 * Series by their references, which are given out one after the other: requests name those of a page in a
 * row, so the page of the last question is tried first. A page goes with the last of its series.
 */
export class SeriesByRef {
  readonly #pages = new Map<number, Page>();
  #asked = -1;
  #page: Page | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(ref: number): HeadSeries | undefined {
    const number = Math.floor(ref / PAGE_SERIES);
    if (number !== this.#asked) {
      this.#asked = number;
      this.#page = this.#pages.get(number);
    }
    return this.#page?.series[ref - number * PAGE_SERIES];
  }

  has(ref: number): boolean {
    return this.get(ref) !== undefined;
  }

  /** The reference must be new. */
  add(series: HeadSeries): void {
    const number = Math.floor(series.ref / PAGE_SERIES);
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = { series: Array.from({ length: PAGE_SERIES }), live: 0 };
      this.#pages.set(number, page);
      this.#asked = -1;
    }
    page.series[series.ref - number * PAGE_SERIES] = series;
    page.live++;
    this.#size++;
  }

  delete(ref: number): void {
    if (!this.has(ref)) return;
    const number = Math.floor(ref / PAGE_SERIES);
    const page = this.#pages.get(number);
    if (page === undefined) return;
    page.series[ref - number * PAGE_SERIES] = undefined;
    this.#size--;
    if (--page.live > 0) return;
    this.#pages.delete(number);
    this.#asked = -1;
  }

  *values(): Generator<HeadSeries> {
    for (const { series } of this.#pages.values()) {
      for (const each of series) if (each !== undefined) yield each;
    }
  }
}
