import { page, problemResource } from "@mainstay/api";
import { onlyVisible, type Http } from "../../kernel/http/index.ts";
import type { Problems } from "./problems.ts";

export function addProblemsRoutes(http: Http, problems: Pick<Problems, "list">): void {
  http.route({
    method: "GET",
    url: "/api/v1/problems",
    permission: "problems.read",
    scope: "somewhere",
    summary: "What is wrong right now, the oldest first",
    response: page(problemResource),
    handler: async ({ authenticated }) => ({
      items: onlyVisible(authenticated, "problems.read", await problems.list()),
      next: null,
    }),
  });
}
