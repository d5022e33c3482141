/**
 * Flags of V8 for processes that answer requests; package.json names the same ones in its scripts.
 *
 * - Short-lived objects die young, which spares a seventh of a query's CPU for 100 MB of memory.
 * - Old objects are collected when the heap has grown by one and a half times. Left to itself V8 does so whenever 8 MB were
 *   allocated outside its heap, as every ciphertext, body and packet is: once a second at 20 scores a second, each time
 *   taking both cores from whatever is under way (docs/decisions/0302-old-objects-are-collected-seldom.md).
 */
const growth = '--heap-growing-percent=150';
export const serverFlags = ['--max-semi-space-size=64', growth] as const;
/** A custodian makes few objects: its young ones need no more room than V8 gives. */
export const custodianFlags = [growth] as const;
