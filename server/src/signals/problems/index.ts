export { createProblems } from "./problems.ts";
export { addProblemsRoutes } from "./routes.ts";
