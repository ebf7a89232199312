export { verifyConsistency, verifyInclusion, type ConsistencyClaim, type InclusionClaim } from "./verify-proof.ts";
export {
  verifySubtreeConsistency,
  verifySubtreeInclusion,
  type SubtreeConsistencyClaim,
  type SubtreeInclusionClaim,
} from "./verify-subtree-proof.ts";
