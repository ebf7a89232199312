export { addCapacityRoutes } from "./routes.ts";
