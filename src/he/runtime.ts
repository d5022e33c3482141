import { initialize } from 'node-seal';
import type { Ciphertext, MainModule, ParmsIdType, Plaintext, SEALContext } from 'node-seal';
import { VeilgateError } from '../errors.ts';
import type { ParameterSet } from './parameters.ts';
import { webAssembly, type CompiledModule, type Imports, type Instance } from './web-assembly.ts';

/**
 * The one place that knows node-seal (Microsoft SEAL 4.1.2 as WebAssembly). Whoever makes a handle frees it
 * (`using`): the heap of WebAssembly never shrinks. `handle.clone()` is an alias; a copy is `copy()`.
 */
export type SealCiphertext = Ciphertext;
export type SealPlaintext = Plaintext;

export type HeContext = {
  readonly seal: MainModule;
  /** Made once per parameter set, with 128-bit security enforced. Never freed. */
  readonly context: SEALContext;
};

export type He = {
  readonly context: (set: ParameterSet) => HeContext;
  /** Size of the WebAssembly heap; undefined where the module was not compiled beforehand. */
  readonly heapBytes: () => number | undefined;
};

/** Where the WebAssembly lies, for whoever compiles it once for several threads. */
export const sealModuleUrl = (): string => new URL('seal_throws.wasm', import.meta.resolve('node-seal')).href;

let loaded: Promise<He> | undefined;

/**
 * Starts SEAL. Without `compiled` the same instance is given to every caller; with it (a thread's own copy) a new
 * one whose heap can be measured.
 */
export function loadHe(compiled?: CompiledModule): Promise<He> {
  if (compiled !== undefined) return start(compiled);
  loaded ??= start(undefined);
  return loaded;
}

async function start(compiled: CompiledModule | undefined): Promise<He> {
  let memory: { readonly buffer: ArrayBuffer } | undefined;
  const seal = await initialize(compiled === undefined ? {} : {
    instantiateWasm: (imports: Imports, received: (instance: Instance, module: CompiledModule) => void) => {
      const instance = new webAssembly.Instance(compiled, imports);
      memory = Object.values(instance.exports).find((each) => each instanceof webAssembly.Memory);
      received(instance, compiled);
      return instance.exports;
    },
  });
  const contexts = new Map<string, HeContext>();
  return {
    context: (set) => {
      const context = contexts.get(set.id) ?? makeContext(seal, set);
      contexts.set(set.id, context);
      return context;
    },
    heapBytes: () => memory?.buffer.byteLength,
  };
}

function makeContext(seal: MainModule, set: ParameterSet): HeContext {
  using parameters = new seal.EncryptionParameters(seal.SchemeType.bfv);
  using primes = new seal.VectorModulus();
  for (const prime of set.coeffModulus) {
    using modulus = new seal.Modulus(prime);
    primes.push_back(modulus);
  }
  using plain = new seal.Modulus(BigInt(set.plainModulus));
  parameters.setPolyModulusDegree(set.polyModulusDegree);
  parameters.setCoeffModulus(primes);
  parameters.setPlainModulus(plain);
  const context = new seal.SEALContext(parameters, true, seal.SecLevelType.tc128);
  const { key, column, result } = set.parmsIds;
  const asNamed = context.parametersSet()
    && isNamed(context.keyParmsId(), key) && isNamed(context.firstParmsId(), column) && isNamed(context.lastParmsId(), result);
  if (!asNamed) throw new VeilgateError('HE_EVALUATION_FAILED', 'SEAL does not know these parameters as the named 128-bit secure set: use a named set as it is.');
  return { seal, context };
}

function isNamed(handle: ParmsIdType, expected: readonly bigint[]): boolean {
  using id = handle;
  const words = Array.from(id.values() as Iterable<bigint>);
  return words.length === expected.length && words.every((word, at) => word === expected[at]);
}

type Savable = { saveToArray(mode: MainModule['ComprModeType']['none']): unknown };

/** SEAL's uncompressed serialisation; the array is the caller's own, never a view of the heap. */
export function bytesOf({ seal }: HeContext, handle: Savable): Uint8Array {
  const bytes = handle.saveToArray(seal.ComprModeType.none) as Uint8Array;
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}
