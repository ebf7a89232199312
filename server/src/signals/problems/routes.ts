import { page, problemResource } from "@mainstay/api";
import type { Http } from "../../kernel/http/index.ts";
import type { Problems } from "./problems.ts";

export function addProblemsRoutes(http: Http, problems: Pick<Problems, "list">): void {
  http.route({
    method: "GET",
    url: "/api/v1/problems",
    permission: "problems.read",
    summary: "What is wrong right now, the oldest first",
    response: page(problemResource),
    handler: async () => ({ items: await problems.list(), next: null }),
  });
}
