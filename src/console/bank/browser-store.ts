/**
 * A place in this browser for records by name. IndexedDB keeps CryptoKeys as they are: what cannot be exported stays so.
 * Each store is a database of its own, so that one can be cleared without the other.
 */
export function browserStore<Kept>(databaseName: string, storeName: string) {
  async function inStore<Result>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<Result>): Promise<Result> {
    const opening = indexedDB.open(databaseName, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(storeName);
    const database = await done(opening);
    try {
      return await done(work(database.transaction(storeName, mode).objectStore(storeName)));
    } finally {
      database.close();
    }
  }
  return {
    get: (name: string) => inStore('readonly', (store) => store.get(name) as IDBRequest<Kept | undefined>),
    put: async (name: string, kept: Kept) => void await inStore('readwrite', (store) => store.put(kept, name)),
    remove: async (name: string) => void await inStore('readwrite', (store) => store.delete(name)),
  };
}

function done<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB failed'));
  });
}
