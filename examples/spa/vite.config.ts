import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { backend } from "./server/backend.js";
import { insert, readSettings } from "./server/settings.js";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** In development Vite serves the backend's routes too: one process, one origin. */
function withBackend(): Plugin {
  const settings = readSettings();
  const handle = backend(settings);
  let serving = false;
  return {
    name: "backend",
    configureServer(server) {
      serving = true;
      server.middlewares.use((req, res, next) => {
        handle(req, res).then((handled) => handled || next(), next);
      });
    },
    transformIndexHtml: (html) => (serving ? insert(html, settings) : html),
  };
}

export default defineConfig({
  plugins: [react(), withBackend()],
  resolve: {
    alias: {
      "@": here("src"),
      // This repository's own; elsewhere it is the package of that name.
      "issuer-client": here("../../clients/typescript/src"),
    },
  },
  server: { host: "127.0.0.1", port: 5173, strictPort: true, allowedHosts: [".localhost"] },
});
