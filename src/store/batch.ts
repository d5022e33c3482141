/** A batch of at least this size says that the system is busy: the next one then starts no sooner than `everyMs` after it. */
const busyItems = 4;

/**
 * Turns many small calls into few large ones: while one batch is under way, what arrives is collected for the
 * next (group commit). One call alone starts at once; only under load a batch waits until `everyMs` after the start of
 * the last, because half as many trips to the database cost half as much. Only the first of several batchers in a row
 * should wait: what left it together arrives together at the next (docs/decisions/0160-one-wait-at-the-door.md).
 *
 * `run` gets the items in order of arrival and must return as many results, in the same order. A result that
 * is an Error rejects only its own caller; a throw of `run` rejects every caller of that batch.
 */
export function batcher<Item, Result>(
  run: (items: readonly Item[]) => Promise<readonly (Result | Error)[]>,
  limits: { readonly maxItems: number; readonly maxWaiting: number; readonly concurrency?: number; readonly everyMs?: number; readonly onFull: () => Error },
): (item: Item) => Promise<Result> {
  type Waiting = { item: Item; resolve: (result: Result) => void; reject: (reason: unknown) => void };
  let queue: Waiting[] = [];
  let active = 0;
  let scheduled = false;
  let lastItems = 0;
  let lastStartMs = Number.NEGATIVE_INFINITY;
  const everyMs = limits.everyMs ?? 0;
  const concurrency = limits.concurrency ?? 1;

  const settle = async (batch: Waiting[]) => {
    try {
      const results = await run(batch.map(({ item }) => item));
      batch.forEach(({ resolve, reject }, at) => {
        const result = results[at];
        if (result instanceof Error) reject(result);
        else resolve(result as Result);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };

  const next = () => {
    scheduled = false;
    while (active < concurrency && queue.length > 0) {
      const batch = queue.slice(0, limits.maxItems);
      queue = queue.slice(limits.maxItems);
      active += 1;
      lastItems = batch.length;
      lastStartMs = performance.now();
      void settle(batch).finally(() => {
        active -= 1;
        schedule();
      });
    }
  };

  // one turn of the event loop lets requests that arrived together travel together
  const schedule = () => {
    if (scheduled || active >= concurrency || queue.length === 0) return;
    scheduled = true;
    const waitMs = lastItems >= busyItems && queue.length < limits.maxItems ? lastStartMs + everyMs - performance.now() : 0;
    if (waitMs > 0) setTimeout(next, waitMs);
    else setImmediate(next);
  };

  return (item) =>
    new Promise<Result>((resolve, reject) => {
      if (queue.length >= limits.maxWaiting) {
        reject(limits.onFull());
        return;
      }
      queue.push({ item, resolve, reject });
      schedule();
    });
}
