import type { LogFollower } from "@mainstay/metrics/tsdb";
import type { RemoteWriteResource } from "@mainstay/api";
import { createNaming } from "./naming.ts";
import { startRemote, type RemoteDependencies } from "./remote.ts";
import type { RemoteSettings } from "./remote-settings.ts";
import { createRequests } from "./requests.ts";

export interface RemotesDependencies extends Pick<
  RemoteDependencies,
  "clock" | "random" | "pause" | "attempt"
> {
  settings: readonly RemoteSettings[];
  /** In the order of the settings. */
  followers: readonly LogFollower[];
  onTrouble(name: string, trouble: string | null): void;
}

/** Everything that is sent on. */
export interface Remotes {
  views(): RemoteWriteResource[];
  stop(): Promise<void>;
}

/** Starts sending to each of the receivers. */
export function startRemotes({ settings, followers, onTrouble, ...shared }: RemotesDependencies): Remotes {
  const remotes = followers.flatMap((follower, index) => {
    const each = settings[index];
    if (each === undefined) return [];
    const nameOf = createNaming(follower, each.relabelRules);
    const requests = createRequests(each);
    const tell = (trouble: string | null) => onTrouble(each.name, trouble);
    return [startRemote({ ...shared, settings: each, follower, nameOf, requests, onTrouble: tell })];
  });
  return {
    views: () => remotes.map((remote) => remote.view()),
    stop: async () => void (await Promise.all(remotes.map((remote) => remote.stop()))),
  };
}
