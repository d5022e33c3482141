/** A thread that holds the secret keys, loads foreign ciphertexts and decrypts them; started by decryption.ts, and disposable. */
import { parentPort, workerData } from 'node:worker_threads';
import { isVeilgateError } from '../errors.ts';
import { createDecryptor, type Decryptor } from '../he/decrypt.ts';
import { createColumnEncryptor } from '../he/encrypt.ts';
import { parameterSetOf, type ParameterSet } from '../he/parameters.ts';
import { loadHe, type He } from '../he/runtime.ts';
import { packBits } from '../scoring/words.ts';
import { centred, type ThreadAnswer, type ThreadKey, type ThreadStart, type ThreadTask } from './decryption-task.ts';
import { maskFault } from './mask-test.ts';

const { keys } = workerData as ThreadStart;
const he = await loadHe();
const opened = new Map<string, Decryptor>();

parentPort?.on('message', (task: ThreadTask) => {
  const answer = answerOf(task);
  parentPort?.postMessage(answer, answer.kind === 'opened' ? answer.masked.map(({ buffer }) => buffer as ArrayBuffer) : []);
});
parentPort?.postMessage('ready');

function answerOf(task: ThreadTask): ThreadAnswer {
  try {
    return task.kind === 'open' ? open(task) : reencrypt(task, he);
  } catch (error) {
    if (isVeilgateError(error, 'HE_CIPHERTEXT_REFUSED')) return { kind: 'refused' };
    throw error; // the thread ends, and another one takes its place
  }
}

/** All ciphertexts are tested before a value of any is kept. */
function open(task: ThreadTask & { readonly kind: 'open' }): ThreadAnswer {
  const blocks: Uint32Array[] = [];
  try {
    for (const ciphertext of task.ciphertexts) {
      const values = decryptorOf(task.key).decrypt(ciphertext);
      blocks.push(values);
      const fault = maskFault(values, setOf(task.key).plainModulus);
      if (fault !== undefined) return { kind: 'not_masked', fault };
    }
    return { kind: 'opened', masked: blocks.map((values) => packBits(task.slots.map((slot) => values[slot]!), setOf(task.key).plainModulus)) };
  } finally {
    for (const values of blocks) values.fill(0);
  }
}

function reencrypt(task: ThreadTask & { readonly kind: 'reencrypt' }, runtime: He): ThreadAnswer {
  const to = keyOf(task.toKey);
  const set = setOf(task.toKey);
  const values = decryptorOf(task.key).decrypt(task.ciphertext);
  const fault = maskFault(values, set.plainModulus);
  if (fault !== undefined) return { kind: 'not_masked', fault };
  const encryptor = createColumnEncryptor(runtime, set, to.publicKey);
  const plain = centred(values, set);
  try {
    return { kind: 'reencrypted', ciphertext: encryptor.encrypt(plain) };
  } finally {
    values.fill(0);
    plain.fill(0);
    encryptor.close();
  }
}

function keyOf(id: string): ThreadKey {
  const key = keys.find((candidate) => candidate.id === id);
  if (key === undefined) throw new Error('a key that this thread was not given');
  return key;
}

function setOf(id: string): ParameterSet {
  const set = parameterSetOf(keyOf(id).parameters);
  if (set === undefined) throw new Error('a key of unknown parameters');
  return set;
}

function decryptorOf(id: string): Decryptor {
  const known = opened.get(id);
  if (known !== undefined) return known;
  const decryptor = createDecryptor(he, setOf(id), keyOf(id).secretKey);
  opened.set(id, decryptor);
  return decryptor;
}
