import { useSyncExternalStore } from "react";

const moved = new EventTarget();

/** What the components use of a router. Take your framework's. */
const router = {
  push(path: string) {
    history.pushState(null, "", path);
    moved.dispatchEvent(new Event("push"));
  },
  /** Nothing here comes from a server, so there is nothing to fetch anew. */
  refresh() {},
};

export function useRouter() {
  return router;
}

/** The path of the page, now and after each move. */
export function usePathname() {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

function subscribe(changed: () => void) {
  moved.addEventListener("push", changed);
  addEventListener("popstate", changed);
  return () => {
    moved.removeEventListener("push", changed);
    removeEventListener("popstate", changed);
  };
}
