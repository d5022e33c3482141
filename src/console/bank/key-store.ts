import type { Credentials } from '../../sdk/keys.ts';

/** IndexedDB keeps CryptoKeys as they are: what cannot be exported stays so. One record for each party of this browser. */
const databaseName = 'veilgate-keys';
const storeName = 'credentials';

export async function keptCredentials(party: string): Promise<Credentials | undefined> {
  return inStore('readonly', (store) => store.get(party) as IDBRequest<Credentials | undefined>);
}

export async function keepCredentials(credentials: Credentials): Promise<void> {
  await inStore('readwrite', (store) => store.put(credentials, credentials.party));
}

export async function forgetCredentials(party: string): Promise<void> {
  await inStore('readwrite', (store) => store.delete(party));
}

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

function done<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB failed'));
  });
}
