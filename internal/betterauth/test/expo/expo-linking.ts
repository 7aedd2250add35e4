/** Returns the URL of a page of the app, as a standalone app does. */
export function createURL(path: string, { scheme = "myapp" } = {}): string {
  return `${scheme}://${path}`;
}
