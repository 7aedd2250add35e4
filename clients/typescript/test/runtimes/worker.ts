// Runs one check for each request.
import { checks, run } from "./checks.js";

export default {
  async fetch(request: Request): Promise<Response> {
    const { name, target } = await request.json();
    return new Response(name ? await run(name, target) : JSON.stringify(Object.keys(checks)));
  },
};
