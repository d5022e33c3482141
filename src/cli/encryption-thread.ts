import { parentPort, workerData } from 'node:worker_threads';
import { isVeilgateError, type ErrorCode, type ErrorDetail } from '../errors.ts';
import { createColumnEncryptor } from '../he/encrypt.ts';
import { parameterSetOf } from '../he/parameters.ts';
import { loadHe } from '../he/runtime.ts';

/** What a thread needs to know to encrypt: nothing of it is secret. */
export type EncryptionThreadData = { readonly parameters: string; readonly publicKey: Uint8Array };
export type EncryptionAnswer =
  | { readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly code: ErrorCode; readonly message: string; readonly detail?: ErrorDetail };

const { parameters, publicKey } = workerData as EncryptionThreadData;
const encryptor = (async () => {
  const set = parameterSetOf(parameters);
  if (set === undefined) throw new RangeError('unknown parameter set');
  return createColumnEncryptor(await loadHe(), set, publicKey);
})();
encryptor.catch(() => {}); // each column says it

parentPort?.on('message', async (values: Int32Array) => {
  let answer: EncryptionAnswer;
  try {
    answer = { bytes: (await encryptor).encrypt(values) };
  } catch (error) {
    answer = isVeilgateError(error)
      ? { code: error.code, message: error.message, ...(error.detail === undefined ? {} : { detail: error.detail }) }
      : { code: 'INTERNAL', message: 'A column could not be encrypted: is this client\'s version the platform\'s?' };
  }
  parentPort?.postMessage(answer, 'bytes' in answer ? [answer.bytes.buffer] : []);
});
