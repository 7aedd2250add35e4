import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { insert, settings } from "./server/settings.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** In development Vite also serves the backend's routes, in one process and on one origin. */
function withBackend(): Plugin {
  return {
    name: "backend",
    apply: "serve",
    configureServer(server) {
      // Vite would print another address, and sign-ins from that origin are refused.
      server.printUrls = () => server.config.logger.info(`the application is at ${settings.appURL}`);
      server.middlewares.use(async (req, res, next) => {
        const { backend } = await server.ssrLoadModule("/server/backend.ts");
        if (!(await backend(req, res))) next();
      });
    },
    transformIndexHtml: insert,
  };
}

export default defineConfig({
  plugins: [react(), withBackend()],
  resolve: {
    alias: {
      "@": here("src"),
      // In this repository, the sources; elsewhere, the package of that name.
      "issuer-client": here("../../clients/typescript/src"),
    },
  },
  server: { host: "127.0.0.1", port: 5173, strictPort: true, allowedHosts: [".localhost"] },
});
