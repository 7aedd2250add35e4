import { fileURLToPath } from "node:url";

/**
 * @typedef {object} Settings
 * @property {string} listen address and port of this server
 * @property {string} appURL this application's own origin, as browsers know it
 * @property {string} issuer where this server finds the issuer
 * @property {string} authURL where browsers find the issuer; "" is at appURL, through this server
 * @property {boolean} handoff whether the issuer is on another site, so that only it can set its cookies
 * @property {string} serviceKeyFile the file of the key that mints sessions
 */

/** @returns {Settings} what the environment says, and else what fits `make run` */
export function readSettings(env = process.env) {
  return {
    listen: env.LISTEN ?? "127.0.0.1:5173",
    appURL: new URL(env.APP_URL ?? "http://localhost:5173").origin,
    issuer: new URL(env.ISSUER ?? "http://localhost:8080").origin,
    authURL: env.AUTH_URL ? new URL(env.AUTH_URL).origin : "",
    handoff: env.HANDOFF === "true",
    serviceKeyFile: env.SERVICE_KEY_FILE ?? fileURLToPath(new URL("../../../data/dev/service.key", import.meta.url)),
  };
}

/**
 * Puts into the page what its scripts must know.
 *
 * @param {string} html
 * @param {Settings} settings
 */
export function insert(html, settings) {
  return html.replace("%AUTH_URL%", settings.authURL); // an origin has nothing to escape
}
