export { type Client, createClient, type Options } from "./client.js";
export type { Channel, Environment, PageEvent } from "./environment.js";
export { type Code, IssuerError, type IssuerCode, type Reason } from "./errors.js";
export type { Grant, Session, SessionData, State, User } from "./state.js";
export type { OnGrant, TokenStorage } from "./vault.js";
