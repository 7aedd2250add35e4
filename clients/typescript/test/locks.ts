interface Wait {
  grant: () => void;
  steal: () => void;
}

/** The Web Locks of one origin. A callback runs in the tab that asked, when that tab runs at all. */
export class Locks {
  private readonly held = new Map<string, Wait>();
  private readonly queues = new Map<string, Wait[]>();

  of(run: (f: () => void) => void): Pick<LockManager, "request"> {
    const request = (name: string, options: LockOptions, work: (lock: Lock | null) => unknown) =>
      new Promise<unknown>((resolve, reject) => {
        const wait: Wait = {
          grant: () => {
            this.held.set(name, wait);
            run(() => {
              Promise.resolve(work({ name, mode: "exclusive" })).then(
                (value) => {
                  this.release(name, wait);
                  resolve(value);
                },
                (error) => {
                  this.release(name, wait);
                  reject(error);
                },
              );
            });
          },
          steal: () => run(() => reject(new DOMException("stolen", "AbortError"))),
        };
        const queue = this.queue(name);
        if (options.steal) {
          this.held.get(name)?.steal();
          wait.grant();
        } else if (!this.held.has(name) && !queue.length) {
          wait.grant();
        } else if (options.ifAvailable) {
          run(() => void Promise.resolve(work(null)).then(resolve, reject));
        } else {
          queue.push(wait);
          options.signal?.addEventListener("abort", () => {
            const at = queue.indexOf(wait);
            if (at < 0) return; // granted already
            queue.splice(at, 1);
            reject(new DOMException("given up", "AbortError"));
          });
        }
      });
    return { request } as Pick<LockManager, "request">;
  }

  private queue(name: string): Wait[] {
    let queue = this.queues.get(name);
    if (!queue) this.queues.set(name, (queue = []));
    return queue;
  }

  private release(name: string, wait: Wait): void {
    if (this.held.get(name) !== wait) return; // it was stolen
    this.held.delete(name);
    this.queue(name).shift()?.grant();
  }
}
