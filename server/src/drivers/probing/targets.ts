import { isTask, type ObservedInstance } from "@mainstay/api";
import type { ReleaseRow } from "../../core/services/index.ts";

/** Where an instance of a release can be asked. */
export interface Target {
  instance: string;
  port: number;
}

/** The ready instances of a release that serve requests. */
export function targetsOf(release: string, observed: readonly ObservedInstance[]): Target[] {
  return observed.flatMap(({ id, port, state, ...each }) =>
    each.release === release && !isTask(each.process) && state === "ready" && port !== null
      ? [{ instance: id, port }]
      : [],
  );
}

/** The Host a service would be asked for; null when it answers to any. */
export function hostOf({ snapshot }: ReleaseRow): string | null {
  return snapshot.routes.find((each) => each.host !== undefined)?.host ?? null;
}
