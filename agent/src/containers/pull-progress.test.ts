import { describe, expect, it } from "vitest";
import { createPullProgress } from "./pull-progress.ts";

const line = (value: unknown) => JSON.stringify(value);

describe("the progress of a pull", () => {
  it("is the sum over the layers whose size is known", () => {
    const progress = createPullProgress();
    progress.hear(line({ status: "Pulling fs layer", progressDetail: {}, id: "a" }));
    progress.hear(line({ status: "Downloading", progressDetail: { current: 10, total: 100 }, id: "a" }));
    progress.hear(line({ status: "Downloading", progressDetail: { current: 60, total: 100 }, id: "a" }));
    progress.hear(line({ status: "Downloading", progressDetail: { current: 5, total: 50 }, id: "b" }));
    progress.hear("");
    expect(progress.read()).toEqual({ doneBytes: 65, totalBytes: 150 });
  });

  it("ends with what went wrong, in the engine's words", () => {
    const { hear } = createPullProgress();
    expect(() => hear(line({ errorDetail: { message: "denied" }, error: "denied" }))).toThrow("denied");
  });
});
