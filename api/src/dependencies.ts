import { z } from "zod";
import { serviceName } from "./service-name.ts";

/** `dependsOn` of mainstay.yaml, and the order that follows from it. */

export const dependencyList = z
  .array(serviceName)
  .max(50)
  .refine((names) => new Set(names).size === names.length, "expected each service once");

/** What a service file says; releases that were registered before this key existed say nothing. */
export function dependenciesOf({ dependsOn = [] }: { dependsOn?: string[] | undefined }): string[] {
  return dependsOn;
}

/** A service and those that must serve before it, by names that mean one service each. */
export interface Dependent {
  name: string;
  dependsOn: readonly string[];
}

/**
 * Puts services behind those they depend on, otherwise in the order given (a depth-first search). What is not
 * among them is passed over. `circle` names the services of a circle, the first one again at its end.
 */
export function sortByDependencies<Each extends Dependent>(
  services: readonly Each[],
): { order: Each[]; circle: null } | { order: null; circle: string[] } {
  const byName = new Map(services.map((each) => [each.name, each]));
  const order: Each[] = [];
  const path: string[] = [];

  function visit(service: Each): string[] | null {
    if (order.includes(service)) return null;
    const begin = path.indexOf(service.name);
    if (begin >= 0) return [...path.slice(begin), service.name];
    path.push(service.name);
    for (const name of service.dependsOn) {
      const before = byName.get(name);
      const circle = before ? visit(before) : null;
      if (circle) return circle;
    }
    path.pop();
    order.push(service);
    return null;
  }

  for (const each of services) {
    const circle = visit(each);
    if (circle) return { order: null, circle };
  }
  return { order, circle: null };
}
