import type { EngineBackend, EngineServer, EngineTable } from "./engine-table.ts";

/** One line for the runtime socket, and what it answers when all is well. */
export interface Command {
  line: string;
  answers: RegExp;
}

export interface Plan {
  /** Sent in their order; the table is in force after the last one. */
  commands: Command[];
  /** `<backend>/<server>`: deleted as soon as nothing is connected to them. */
  leaving: string[];
}

export interface PlanInput {
  before: EngineTable;
  next: EngineTable;
  /** Unrouted before and not deleted yet. */
  leaving: ReadonlySet<string>;
  /** The names under which the maps are known. */
  maps: MapFiles;
}

export interface MapFiles {
  routes: string;
  rows: string;
}

/**
 * A server that does not take a connection is out until it takes one again; asked only while it is out.
 * Without a limit of idle connections there would be as many as there once were requests at a time.
 */
export const SERVER_OPTIONS =
  "check inter 1h fastinter 1s downinter 1s rise 1 fall 1 observe layer4 error-limit 1 on-error mark-down pool-max-conn 512";

const SILENCE = /^\s*$/;
const REGISTERED = /New server registered/;

/**
 * From one table to the next while requests go on: new servers first, then who goes where, and only then
 * are the others unrouted. Both tables must have the same structure.
 */
export function planCommands({ before, next, leaving, maps }: PlanInput): Plan {
  const known = new Map(before.backends.map((each) => [each.name, each]));
  const steps = next.backends.map((each) => stepsOf(each, known.get(each.name), leaving));
  return {
    commands: [
      ...steps.flatMap((each) => each.arrivals),
      ...mapCommands(maps.routes, before.routes, next.routes),
      ...mapCommands(maps.rows, before.rows, next.rows),
      ...steps.flatMap((each) => each.departures.map((name) => quiet(`set server ${name} state maint`))),
    ],
    leaving: steps.flatMap((each) => each.departures),
  };
}

function stepsOf(next: EngineBackend, before: EngineBackend | undefined, leaving: ReadonlySet<string>) {
  const known = new Map(before?.servers.map((each) => [each.name, each]));
  const wanted = new Set(next.servers.map((each) => each.name));
  const arrivals = next.servers.flatMap((server): Command[] => {
    const name = `${next.name}/${server.name}`;
    const old = known.get(server.name);
    if (old?.weight === server.weight) return [];
    if (old) return [quiet(`set server ${name} weight ${server.weight}`)];
    if (!leaving.has(name)) return arrival(name, server);
    return [quiet(`set server ${name} weight ${server.weight}`), quiet(`set server ${name} state ready`)];
  });
  const departures = [...known.keys()].filter((name) => !wanted.has(name));
  return { arrivals, departures: departures.map((name) => `${next.name}/${name}`) };
}

function arrival(name: string, { port, weight }: EngineServer): Command[] {
  const address = `127.0.0.1:${port} weight ${weight} ${SERVER_OPTIONS}`;
  return [
    { line: `add server ${name} ${address}`, answers: REGISTERED },
    quiet(`enable health ${name}`),
    quiet(`enable server ${name}`),
  ];
}

function mapCommands(file: string, before: Map<string, string>, next: Map<string, string>): Command[] {
  const changed = [...next].filter(([key, value]) => before.get(key) !== value);
  const gone = [...before.keys()].filter((key) => !next.has(key));
  return [
    ...changed.map(([key, value]) =>
      quiet(`${before.has(key) ? "set" : "add"} map ${file} ${escaped(key)} ${value}`),
    ),
    ...gone.map((key) => quiet(`del map ${file} ${escaped(key)}`)),
  ];
}

/** management.txt, section 9.3: what separates words and commands stands for itself behind a backslash. */
function escaped(word: string): string {
  return word.replaceAll(/[\\;]/g, "\\$&");
}

function quiet(line: string): Command {
  return { line, answers: SILENCE };
}
