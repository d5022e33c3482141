import type { JSONWebKeySet, JWK } from 'jose';
import { VeilgateError } from '../errors.ts';
import { platformKeys } from '../sdk/bank.ts';
import { readJson } from './secret-file.ts';

export const keysLengthMax = 262_144;

/** Where a platform's public keys come from when something it signed is checked. */
export type KeySetFlags = { readonly keys?: string; readonly offline?: true };
export type ChosenKeys = { readonly keys: JSONWebKeySet; /** In words, for whoever reads the result. */ readonly source: string };

/** Those given, else those kept beside what is checked, else those the platform publishes now. Errors: CONFIG_INVALID, GATEWAY_UNAVAILABLE. */
export async function chooseKeys({ keys: file, offline }: KeySetFlags, kept: { readonly keys: JSONWebKeySet; readonly where: string; readonly platform: string }): Promise<ChosenKeys> {
  if (file !== undefined) return { keys: readKeySet(file), source: 'those given' };
  if (offline === true) return { keys: kept.keys, source: `those kept ${kept.where}` };
  const { keys } = await platformKeys(kept.platform);
  return { keys: { keys: [...keys] }, source: 'those the platform publishes now' };
}

function readKeySet(file: string): JSONWebKeySet {
  const { keys } = readJson(file, keysLengthMax);
  if (!Array.isArray(keys)) throw new VeilgateError('CONFIG_INVALID', 'This is no JWK set: name a file with the platform\'s public keys under `keys`.', { file });
  return { keys: keys as JWK[] }; // each is looked at when a signature names it
}
