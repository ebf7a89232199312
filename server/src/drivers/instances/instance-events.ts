import type { EventData, EventType, ObservedInstance, ObservedState } from "@mainstay/api";

/** An event that follows from what the agent said. */
export type InstanceEvent = {
  [Type in EventType]: { type: Type; subject: string; data: EventData<Type> };
}["instances.started" | "instances.failed"];

/**
 * What happened to the instances between two looks; nothing
 * on the first one, which has nothing to compare with.
 */
export function instanceEvents(before: ObservedState | null, after: ObservedState): InstanceEvent[] {
  if (!before) return [];
  const known = new Map(before.instances.map((each) => [each.id, each]));
  return after.instances.flatMap((each) => eventsOf(known.get(each.id), each));
}

function eventsOf(before: ObservedInstance | undefined, after: ObservedInstance): InstanceEvent[] {
  const { id: subject, service, environment, process, release, pid, crashes, lastExit } = after;
  const data = { service, environment, process, release, pid };
  const events: InstanceEvent[] = [];
  if (crashes > (before?.crashes ?? 0)) {
    const how = { crashes, code: lastExit?.code ?? null, signal: lastExit?.signal ?? null };
    events.push({ type: "instances.failed", subject, data: { ...data, ...how } });
  }
  if (pid !== null && pid !== before?.pid) events.push({ type: "instances.started", subject, data });
  return events;
}
