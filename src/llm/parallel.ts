/**
 * `work` on every item, `concurrency` of them at a time. After a failure nothing new is begun, what is under way ends
 * (answers in flight are paid for), and the first failure is thrown.
 */
export async function inParallel<T>(
  items: AsyncGenerator<T>,
  concurrency: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let failed = false;
  const failures: unknown[] = [];
  const worker = async () => {
    while (!failed) {
      try {
        const next = await items.next();
        if (next.done === true) return;
        await work(next.value);
      } catch (error) {
        failed = true;
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  if (failed) {
    await items.return(undefined);
    throw failures[0];
  }
}
