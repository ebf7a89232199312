import { parseDocument } from "yaml";
import { platformFile } from "@mainstay/api";
import { expect, it } from "vitest";
import { generate } from "./configuration.ts";

it("the page of the configuration shows the defaults as a file that means the defaults", async () => {
  const [page] = await generate();
  const example = /```yaml\n([\s\S]*?)```/.exec(page?.text ?? "")?.[1] ?? "";
  expect(platformFile.parse(parseDocument(example).toJS())).toEqual(platformFile.parse({}));
});
