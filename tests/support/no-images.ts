import type { ImageStore } from "../../server/src/core/services/images.ts";

/** For services without containers: every name stands for itself. */
export const NO_IMAGES: ImageStore = { resolve: async (image) => image, remove: async () => [] };
