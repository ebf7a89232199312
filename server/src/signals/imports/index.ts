export { addImportRoutes } from "./routes.ts";
