import { parentPort, workerData } from 'node:worker_threads';
import { createColumnEncryptor } from '../he/encrypt.ts';
import { parameterSetOf } from '../he/parameters.ts';
import { loadHe } from '../he/runtime.ts';
import { faultOf, type CrewAnswer } from './crew.ts';

/** What a thread needs to know to encrypt: nothing of it is secret. */
export type EncryptionThreadData = { readonly parameters: string; readonly publicKey: Uint8Array };

const { parameters, publicKey } = workerData as EncryptionThreadData;
const encryptor = (async () => {
  const set = parameterSetOf(parameters);
  if (set === undefined) throw new RangeError('unknown parameter set');
  return createColumnEncryptor(await loadHe(), set, publicKey);
})();
encryptor.catch(() => {}); // each column says it

parentPort?.on('message', async (values: Int32Array) => {
  let answer: CrewAnswer<Uint8Array<ArrayBuffer>>;
  try {
    answer = { result: (await encryptor).encrypt(values) };
  } catch (error) {
    answer = faultOf(error, 'A column could not be encrypted: is this client\'s version the platform\'s?');
  }
  parentPort?.postMessage(answer, 'result' in answer ? [answer.result.buffer] : []);
});
