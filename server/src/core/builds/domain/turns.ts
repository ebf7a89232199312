/** A build as far as its turn is concerned. Ids sort by the time they were asked for. */
export interface Queued {
  id: string;
  service: string;
  state: string;
}

/** Which waiting builds begin now: in their order, one at a time of a service, so many in all. */
export function nextToBegin<Each extends Queued>(unfinished: readonly Each[], atOnce: number): Each[] {
  const running = unfinished.filter((each) => each.state === "running");
  const busy = new Set(running.map((each) => each.service));
  const next: Each[] = [];
  for (const each of unfinished.toSorted((one, other) => (one.id < other.id ? -1 : 1))) {
    if (each.state !== "waiting" || busy.has(each.service)) continue;
    if (running.length + next.length >= atOnce) break;
    busy.add(each.service);
    next.push(each);
  }
  return next;
}
