import type { Environment } from "./environment.js";

/** How long to wait for another tab that holds the lock before taking it away, in milliseconds. */
const patience = 10_000;

/**
 * Runs work while no other tab of this origin does.
 *
 * A tab that the system has suspended may hold the lock for ever, so after a while it is taken away:
 * two refreshes at once are harmless, none is not. Where there are no locks, work just runs.
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
    // A failure once the work runs means only that the lock was taken from us.
    const unlessStarted = (f: () => unknown) => () => (started ? undefined : f());
    const failOpen = unlessStarted(run);
    const steal = unlessStarted(() => locks.request(name, { steal: true }, run).catch(failOpen));
    const queue = () => {
      const off = new AbortController();
      // Jitter: of several tabs that wait, one steals and the others get the lock from it in turn.
      const timer = env.setTimeout(() => off.abort(), patience * (1 + env.random() / 2));
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
