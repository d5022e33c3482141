/**
 * A map of two halves that forgets what was not used lately: what is asked for moves into the newer half; when that is full, it
 * becomes the older one, and what the older one held is forgotten. A hit in the newer half changes nothing: deleting and setting
 * again, as an exact order of use needs, has V8 make a new table every few hits, each kept alive by the one before until
 * old objects are collected (docs/decisions/0330-nothing-lives-on-by-its-former-table.md).
 */
export class BoundedCache<Value> {
  #newer = new Map<string, Value>();
  #older = new Map<string, Value>();
  readonly #halfMax: number;

  /** @param maxEntries kept at most, 2 or more; at least half as many of those used last are */
  constructor(maxEntries: number) {
    this.#halfMax = Math.max(1, Math.floor(maxEntries / 2));
  }

  get size(): number {
    return this.#newer.size + this.#older.size;
  }

  get(key: string): Value | undefined {
    const value = this.#newer.get(key);
    if (value !== undefined) return value;
    const former = this.#older.get(key);
    if (former !== undefined) this.set(key, former);
    return former;
  }

  set(key: string, value: Value): void {
    if (this.#newer.size >= this.#halfMax && !this.#newer.has(key)) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#older.delete(key);
    this.#newer.set(key, value);
  }

  delete(key: string): void {
    this.#newer.delete(key);
    this.#older.delete(key);
  }
}
