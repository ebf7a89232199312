import type { FieldError } from "@mainstay/api";
import { z } from "zod";
import { problemOfCount, problemOfThreshold } from "./query-problems.ts";
import type { Asked } from "./variables.ts";

/** No change is asked about yet: each variable stands for itself. */
const NO_CHANGE: Asked = {
  ...{ id: "change", service: "service", environment: "environment" },
  ...{ candidate: "candidate", stable: "stable", position: { stage: 0 } },
};

const text = z.string().optional().catch(undefined);
const gates = z
  .array(
    z
      .object({
        query: text,
        compare: z.object({ bad: text, total: text }).optional().catch(undefined),
      })
      .catch({ query: undefined, compare: undefined }),
  )
  .catch([]);
const stages = z.array(z.object({ gates }).catch({ gates: [] })).catch([]);
/** Whatever else is wrong in the file: what is no text is not looked at. */
const queries = z.object({ rollout: z.object({ gates, stages }) });

/** What is no PromQL in the data of a service file, be its form right or wrong elsewhere. */
export async function findQueryProblems(data: unknown): Promise<FieldError[]> {
  const read = queries.safeParse(data);
  if (!read.success) return [];
  const { rollout } = read.data;
  const lists = [
    { at: "rollout.gates", gates: rollout.gates },
    ...rollout.stages.map((stage, index) => ({ at: `rollout.stages.${index}.gates`, gates: stage.gates })),
  ];
  const asked = lists.flatMap(({ at, gates: list }) =>
    list.flatMap(({ query, compare }, index) => [
      { path: `${at}.${index}.query`, query, problemOf: problemOfThreshold },
      { path: `${at}.${index}.compare.bad`, query: compare?.bad, problemOf: problemOfCount },
      { path: `${at}.${index}.compare.total`, query: compare?.total, problemOf: problemOfCount },
    ]),
  );
  const found = asked.map(async ({ path, query, problemOf }) => {
    const message = query === undefined || query.trim() === "" ? null : await problemOf(query, NO_CHANGE);
    return message === null ? [] : [{ path, message }];
  });
  return (await Promise.all(found)).flat();
}
