let options: RequestInit | undefined;

/** Returns the options of fetch that keep a response out of caches. Some runtimes have no such option, and throw. */
export function uncached(): RequestInit {
  if (options) return options;
  options = { cache: "no-store" };
  try {
    new Request("https://issuer.example", options);
  } catch {
    options = {};
  }
  return options;
}
