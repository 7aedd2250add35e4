export type { Claims } from "./claims.js";
export { type Cause, IssuerFault, VerifyError } from "./errors.js";
export { createVerifier, type Policy, type Verifier, type VerifierOptions, type VerifierStats } from "./verifier.js";
