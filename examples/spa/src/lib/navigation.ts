import { useSyncExternalStore } from "react";

const moved = new EventTarget();

/** The part of a router that the components use. Replace it with your framework's router. */
const router = {
  push(path: string) {
    history.pushState(null, "", path);
    moved.dispatchEvent(new Event("push"));
  },
  /** No page data comes from a server, so there is nothing to fetch again. */
  refresh() {},
};

export function useRouter() {
  return router;
}

/** Returns the path of the page, and renders again when it changes. */
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
