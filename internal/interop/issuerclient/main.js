// issuer-client/verify as a verifier that follows the feed.
import { createServer } from "node:http";
import { createVerifier, VerifyError } from "../../../clients/typescript/dist/verify/index.js";

const { ISSUER, AUDIENCE, ADDRESS, SERVICE_KEY } = process.env;

const verifier = await createVerifier({ issuer: ISSUER, audience: AUDIENCE, serviceKey: SERVICE_KEY });
await verifier.followRevocations();

const server = createServer(async (request, response) => {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  try {
    if (request.url !== "/whoami" || scheme !== "Bearer") throw new VerifyError("claims", "no token");
    const { sub, sid } = await verifier.verify(token);
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ sub, sid }));
  } catch (error) {
    if (!(error instanceof VerifyError)) console.error(error);
    response.statusCode = 401;
    response.end();
  }
});
const [host, port] = ADDRESS.split(":");
server.listen(Number(port), host);
