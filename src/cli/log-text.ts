import { limitedBody } from '../audit/body.ts';
import { problemOf, unreachable } from '../sdk/connection.ts';
import { VeilgateError } from '../errors.ts';

const proofLengthMax = 262_144;
const timeoutMs = 10_000;

/** The C2SP tlog-proof of an entry. Errors: AUDIT_ENTRY_NOT_FOUND, AUDIT_UNAVAILABLE, GATEWAY_UNAVAILABLE. */
export async function fetchProof(log: string, index: number): Promise<string> {
  const url = URL.parse(`${log.replace(/\/+$/, '')}/entries/${index}/proof`);
  if (url === null) throw new VeilgateError('CONFIG_INVALID', 'The log\'s address is no URL: write it like https://gateway.example/v1/log.');
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) }).catch(unreachable);
  if (response.status === 404) {
    await response.body?.cancel();
    throw new VeilgateError('AUDIT_ENTRY_NOT_FOUND', 'No published checkpoint counts this entry: check the index, and ask again in a few seconds if it is new.', { index });
  }
  if (!response.ok) throw await problemOf(response);
  const body = await limitedBody(response, proofLengthMax);
  if (body === undefined) throw new VeilgateError('AUDIT_UNAVAILABLE', 'The log does not answer as it should: look at its address and try again later.');
  return new TextDecoder().decode(body);
}
