import { VeilgateError } from '../errors.ts';
import type { ParameterSet } from './parameters.ts';

/** `column`: an encrypted feature column as a domain makes it; `result`: a masked sum, as the custodian gets it. */
export type CiphertextForm = 'column' | 'result';

export function checkCiphertextBytes(set: ParameterSet, bytes: Uint8Array, form: CiphertextForm = 'column'): void {
  if (bytes.length !== (form === 'column' ? set.columnBytes : set.resultBytes)) throw new VeilgateError('HE_CIPHERTEXT_REFUSED', 'x');
}
export function checkPublicKeyBytes(set: ParameterSet, bytes: Uint8Array): void {
  if (bytes.length !== set.publicKeyBytes) throw new VeilgateError('HE_KEY_REFUSED', 'x');
}
export function checkSecretKeyBytes(set: ParameterSet, bytes: Uint8Array): void {
  if (bytes.length !== set.secretKeyBytes) throw new VeilgateError('HE_KEY_REFUSED', 'x');
}
