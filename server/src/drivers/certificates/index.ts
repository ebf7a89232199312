export { createCertificatesRoom } from "./room.ts";
export { addCertificatesRoutes } from "./routes.ts";
