/**
 * A set of slots as bits: slots/8 bytes, bit i, least significant first, says that slot i is in it. So a department says
 * which slots hold an enterprise, and a ticket which are to be answered: half a kilobyte, whatever their number.
 */

/** @param slots below `count`, in any order @param count slots of a block */
export function slotBits(slots: readonly number[], count: number): Uint8Array<ArrayBuffer> {
  const bits = new Uint8Array(count / 8);
  for (const slot of slots) bits[slot >> 3] = (bits[slot >> 3] ?? 0) | (1 << (slot & 7));
  return bits;
}

/** The slots, ascending. */
export function slotsOfBits(bits: Uint8Array): Uint32Array<ArrayBuffer> {
  const slots = new Uint32Array(8 * bits.length);
  let count = 0;
  for (let slot = 0; slot < slots.length; slot += 1) if (((bits[slot >> 3] as number) >> (slot & 7) & 1) === 1) slots[count++] = slot;
  return slots.slice(0, count);
}
