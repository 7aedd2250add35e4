/** What the environment says, and else what fits `make run`. */
export const settings = {
  /** Address and port of this server. */
  listen: process.env.LISTEN ?? "127.0.0.1:5173",
  /** This application's own origin, as browsers know it. */
  appURL: new URL(process.env.APP_URL ?? "http://localhost:5173").origin,
  /** Where browsers find the issuer; "" is at appURL, through this server. */
  authURL: process.env.AUTH_URL ? new URL(process.env.AUTH_URL).origin : "",
  /** Where this server finds the issuer. */
  issuer: new URL(process.env.ISSUER ?? "http://localhost:8080").origin,
  /** The file of the key that mints sessions. */
  serviceKeyFile: process.env.SERVICE_KEY_FILE ?? "../../data/dev/service.key",
  /** Whether the issuer is on another site, so that only it can set its cookies. */
  handoff: process.env.HANDOFF === "true",
};

/** Puts into the page what its scripts must know. */
export function insert(html: string): string {
  return html.replace("%AUTH_URL%", settings.authURL); // an origin has nothing to escape
}
