/** What needs no schemas: the command line loads it in a tenth of the time that all of `index.ts` takes. */
export * from "./errors.ts";
export * from "./units.ts";
export * from "./words.ts";
