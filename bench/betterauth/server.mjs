// The better-auth server as its documentation sets it up, on a SQLite file in the folder that
// the first argument names. With "cache" as the second one it trusts its signed cookie for
// five minutes and spares the database. Prints its address and the cookies of a user who is
// signed in.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { join } from "node:path";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import Database from "better-sqlite3";

const [folder, mode] = process.argv.slice(2);
const database = new Database(join(folder, "auth.db"));
database.pragma("journal_mode = WAL");
const options = {
  database,
  baseURL: "http://localhost:8080",
  secret: randomBytes(32).toString("base64url"),
  emailAndPassword: { enabled: true },
  session: { cookieCache: { enabled: mode === "cache", maxAge: 300 } },
  rateLimit: { enabled: false },
};
const auth = betterAuth(options);
await (await getMigrations(options)).runMigrations();

const { headers } = await auth.api.signUpEmail({
  body: { email: "ada@mail.example", name: "Ada Lovelace", password: randomBytes(16).toString("hex") },
  returnHeaders: true,
});
const cookies = headers.getSetCookie().map((cookie) => cookie.split(";")[0]);
const server = createServer(toNodeHandler(auth)).listen(0, "127.0.0.1", () => {
  console.log(`127.0.0.1:${server.address().port} ${cookies.join("; ")}`);
});
