import { once } from "node:events";
import { get } from "node:http";
import { text } from "node:stream/consumers";
import { changeResource, releaseResource } from "@mainstay/api";
import { beforeAll, expect, it } from "vitest";
import { auditInOrder, watchUntil } from "../support/changes.ts";
import { copyHello, UNJUDGED_ROLLOUT, type Hello } from "../support/hello.ts";
import { useProduct } from "../support/use-product.ts";

const product = useProduct();
let hello: Hello;

beforeAll(async () => {
  hello = await copyHello(product().directory);
  await hello.write("mainstay.yaml", "mainstay.yaml", {
    rollout: { ...UNJUDGED_ROLLOUT, keepWarm: "1s" },
    env: { STAGE: "production!" },
    more: {
      routes: [{ host: "shop.test" }],
      environments: { staging: { env: { STAGE: "staging" }, routes: [{ host: "staging.shop.test" }] } },
    },
  });
});

/** What the service of this host answers; fetch would not send another Host than that of its URL. */
async function ask(host: string): Promise<string> {
  const [answer] = await once(
    get(`${product().dataPlaneUrl}/variable?STAGE`, { headers: { host } }),
    "response",
  );
  return text(answer);
}

it("what serves in staging is promoted to production: the same files, that one's settings", async () => {
  const refused = await product().cli("deploy", hello.directory, "--environment", "stagign");
  expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("did you mean staging?") });

  const staged = await product().cliJson(
    changeResource,
    "deploy",
    hello.directory,
    "--environment",
    "staging",
  );
  expect(staged.document).toMatchObject({ environment: "staging" });
  await watchUntil(product(), staged.document.id, (change) => change.state === "succeeded");
  const promote = ["promote", "hello", "--from", "staging", "--to", "production"];
  const { document: change, exitCode } = await product().cliJson(changeResource, ...promote);
  expect({ exitCode, environment: change.environment }).toEqual({ exitCode: 0, environment: "production" });
  expect(change.reason).toBe(`promotes ${staged.document.candidate} from staging`);

  const { document: releases } = await product().cliJson(releaseResource.array(), "releases", "hello");
  expect(new Set(releases.map((each) => each.digest)).size).toBe(1);
  expect(await ask("shop.test")).toBe("set, 11 characters\n");
  expect(await ask("staging.shop.test")).toBe("set, 7 characters\n");
  const registered = (await auditInOrder(product())).find((each) => each.resource.id === change.candidate);
  expect(registered).toMatchObject({ after: { promotedFrom: staged.document.candidate } });

  const nothing = await product().cli("promote", "hello", "--from", "qa", "--to", "production");
  expect(nothing).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("nothing of hello serves in qa"),
  });
});
