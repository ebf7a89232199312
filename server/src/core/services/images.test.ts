import { parseServiceFile } from "@mainstay/api";
import { expect, it } from "vitest";
import { imagesOf, pinImages } from "./images.ts";

const FILE = parseServiceFile(
  "service: shop\nprocesses: { web: { image: 'shop:1' }, job: { image: 'shop:1', command: job }, tick: { command: tick } }",
  "mainstay.yaml",
);

it("puts the digest in place of a tag, asked once for each image, and leaves the rest", async () => {
  const asked: string[] = [];
  const pinned = await pinImages(FILE, {
    resolve: async (image) => {
      asked.push(image);
      return "shop@sha256:1";
    },
  });
  expect(asked).toEqual(["shop:1"]);
  expect(imagesOf(pinned)).toEqual(["shop@sha256:1"]);
  expect(pinned.processes).toMatchObject({
    web: { image: "shop@sha256:1" },
    job: { image: "shop@sha256:1", command: "job" },
    tick: { command: "tick" },
  });
  expect(pinned.processes["tick"]).not.toHaveProperty("image");
});
