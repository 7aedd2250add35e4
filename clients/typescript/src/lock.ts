import type { Environment } from "./environment.js";

/** How long to wait for another tab that holds the lock before stealing it, in milliseconds. */
const stealAfter = 10_000;

/**
 * Runs work while no other tab of this origin runs it.
 *
 * A suspended tab may hold the lock for ever, so it is stolen after a while: two concurrent refreshes are harmless,
 * and no refresh at all is not. In a runtime without locks the work runs without one.
 */
export function exclusive<T>(env: Environment, name: string, work: () => Promise<T>): Promise<T> {
  const { locks } = env;
  if (!locks) return work();
  return new Promise((resolve, reject) => {
    let started = false;
    const run = () => {
      started = true;
      const done = work();
      done.then(resolve, reject);
      return done.then(
        () => {},
        () => {},
      );
    };
    // A failure after the work has started only means that another tab has stolen the lock.
    const unlessStarted = (f: () => unknown) => () => (started ? undefined : f());
    const failOpen = unlessStarted(run);
    const steal = unlessStarted(() => locks.request(name, { steal: true }, run).catch(failOpen));
    const queue = () => {
      const off = new AbortController();
      // Jitter: one of the waiting tabs steals the lock, and the others receive it afterwards.
      const timer = env.setTimeout(() => off.abort(), stealAfter * (1 + env.random() / 2));
      const got = () => {
        env.clearTimeout(timer);
        return run();
      };
      locks.request(name, { signal: off.signal }, got).catch(steal);
    };
    locks
      .request(name, { ifAvailable: true }, (lock) => {
        if (lock) return run();
        queue();
        return undefined;
      })
      .catch(failOpen);
  });
}

const turns = new WeakMap<object, Promise<unknown>>();

/** Runs work while no other work of the same owner runs in this process. */
export function inTurn<T>(owner: object, work: () => Promise<T>): Promise<T> {
  const own = (turns.get(owner) ?? Promise.resolve()).then(work);
  turns.set(
    owner,
    own.catch(() => {}),
  );
  return own;
}
