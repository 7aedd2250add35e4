/** Waits until a condition holds, and fails when it does not come to. */
export async function eventually(holds: () => boolean | Promise<boolean>, what: string, limit = 15_000): Promise<void> {
  for (const end = Date.now() + limit; Date.now() < end; ) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`${what}: not within ${limit} ms`);
}
