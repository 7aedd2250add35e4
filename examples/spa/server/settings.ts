/** The settings from the environment. The defaults match `make run`. */
export const settings = {
  /** Address and port of this server. */
  listen: process.env.LISTEN ?? "127.0.0.1:5173",
  /** The origin of this application for browsers. */
  appURL: new URL(process.env.APP_URL ?? "http://localhost:5173").origin,
  /** The origin of the issuer for browsers; "" means appURL, through this server. */
  authURL: process.env.AUTH_URL ? new URL(process.env.AUTH_URL).origin : "",
  /** The origin of the issuer for this server. */
  issuer: new URL(process.env.ISSUER ?? "http://localhost:8080").origin,
  /** The file with the service key that mints sessions. */
  serviceKeyFile: process.env.SERVICE_KEY_FILE ?? "../../data/dev/service.key",
  /** Whether the issuer is on another site, so that only it can set its cookies. */
  handoff: process.env.HANDOFF === "true",
};

/** Inserts the settings that the scripts of the page need. */
export function insert(html: string): string {
  return html.replace("%AUTH_URL%", settings.authURL); // an origin has nothing to escape
}
