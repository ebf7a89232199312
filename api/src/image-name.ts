import { z } from "zod";

/**
 * Names of container images, as the distribution specification has them: an optional registry (with a dot, a
 * port, or "localhost"), a path in lower case, then a tag or a digest or both.
 * https://github.com/distribution/reference
 */
const DOMAIN = String.raw`(?:(?:[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*)(?::[0-9]+)?\/)?`;
const PART = String.raw`[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`;
const IMAGE = new RegExp(
  String.raw`^(${DOMAIN}${PART}(?:\/${PART})*)(?::([\w][\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`,
);
const MESSAGE =
  "expected an image such as registry.example.com/shop:1.4 or registry.example.com/shop@sha256:… (64 digits)";

export const imageName = z.string().max(400).regex(IMAGE, MESSAGE);
