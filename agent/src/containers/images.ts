import type { ObservedState } from "@mainstay/api";
import type { IncomingMessage } from "node:http";
import type { ContainerEngine } from "./engine.ts";
import { createPullProgress } from "./pull-progress.ts";

/** A registry that is silent for so long will not answer any more. */
const PULL_TIMEOUT_MS = 30 * 60_000;
/** How names begin that stand for images which were built on this machine; no registry has them. */
const BUILT_HERE = "localhost/";
const DIGEST = /@(sha256:[0-9a-f]{64})$/;
const TAG = /:[\w][\w.-]*$/;

/** The engine has the image not, and could not get it. */
export class ImageUnavailable extends Error {}

export interface Images {
  /** The image's name with its digest, once it is on this machine. A tag is asked of its registry anew. */
  resolve(image: string): Promise<string>;
  /** What is on its way. */
  pulls(): ObservedState["pulls"];
  /** Removes those that no container uses; answers which. */
  remove(images: readonly string[]): Promise<string[]>;
}

/** The images of this machine's container engine. */
export function createImages(engine: ContainerEngine): Images {
  const pulling = new Map<string, { done: Promise<void>; progress: ReturnType<typeof createPullProgress> }>();

  /** Those who want the same image wait for the same pull. */
  function pull(image: string): Promise<void> {
    const known = pulling.get(image);
    if (known) return known.done;
    const progress = createPullProgress();
    const done = pullNow(image, progress.hear).finally(() => pulling.delete(image));
    pulling.set(image, { done, progress });
    return done;
  }

  async function pullNow(image: string, hear: (line: string) => void): Promise<void> {
    const signal = AbortSignal.timeout(PULL_TIMEOUT_MS);
    try {
      await readLines(await engine.pull(image, signal), hear);
    } catch (error) {
      throw asUnavailable(error, signal);
    }
  }

  async function resolveTag(image: string): Promise<string> {
    const tagged = TAG.test(image) ? image : `${image}:latest`;
    if (!tagged.startsWith(BUILT_HERE)) await pull(tagged);
    const found = await engine.image(tagged);
    const digests = (found?.digests ?? []).map((each) => DIGEST.exec(each)?.[1]);
    const digest = digests.find((each) => each !== undefined);
    if (digest === undefined) throw new ImageUnavailable("the engine knows no digest of it");
    return `${tagged.replace(TAG, "")}@${digest}`;
  }

  return {
    async resolve(image) {
      const digest = DIGEST.exec(image)?.[1];
      if (digest === undefined) return resolveTag(image);
      const exact = `${image.replace(DIGEST, "").replace(TAG, "")}@${digest}`;
      if (!(await engine.image(exact))) await pull(exact);
      return exact;
    },
    pulls: () => [...pulling].map(([image, { progress }]) => ({ image, ...progress.read() })),
    async remove(images) {
      const removed: string[] = [];
      for (const image of images) if (await engine.removeImage(image)) removed.push(image);
      return removed;
    },
  };
}

async function readLines(response: IncomingMessage, hear: (line: string) => void): Promise<void> {
  if (response.statusCode === 404) throw new ImageUnavailable("no registry has it under this name");
  let rest = "";
  for await (const chunk of response.setEncoding("utf8")) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) hear(line);
  }
  hear(rest);
}

function asUnavailable(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return new ImageUnavailable(`it did not arrive within ${PULL_TIMEOUT_MS / 60_000} min`);
  const isPlain = error instanceof Error && error.constructor === Error;
  return isPlain ? new ImageUnavailable(error.message, { cause: error }) : error;
}
