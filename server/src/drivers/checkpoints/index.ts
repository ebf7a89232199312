export { createKeepers } from "./kinds.ts";
