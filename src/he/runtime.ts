import { initialize } from 'node-seal';
import type { MainModule, SEALContext } from 'node-seal';
import type { ParameterSet } from './parameters.ts';

export type HeContext = { readonly seal: MainModule; readonly context: SEALContext };
export type He = { readonly context: (set: ParameterSet) => HeContext };

export async function loadHe(): Promise<He> {
  const seal = await initialize();
  return { context: () => ({ seal, context: new seal.SEALContext(new seal.EncryptionParameters(seal.SchemeType.bfv), true, seal.SecLevelType.tc128) }) };
}
