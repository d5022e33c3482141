import * as oauth from 'oauth4webapi';
import { VeilgateError, errorCodes, type ErrorCode } from '../errors.ts';

/** What OAuth (RFC 6749 and its extensions) calls an error, by the platform's own codes. */
const known: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  invalid_scope: ['TOKEN_SCOPE_INSUFFICIENT', 'The platform has not given this party the right to this: use the credentials of a party that has it.'],
  invalid_client: ['PARTY_NOT_PERMITTED', 'The authorization server does not let this party in with this key: check party and key; it may not be admitted yet, or be suspended.'],
  unauthorized_client: ['PARTY_NOT_PERMITTED', 'The authorization server does not let this party do this: a bank needs a registered redirect URI to ask for consent.'],
  invalid_grant: ['TOKEN_EXPIRED', 'The code or token was used before, has expired, or belongs to another key: begin again.'],
  access_denied: ['CONSENT_REQUIRED', 'The enterprise declined, so there is no grant: talk to it before you ask again.'],
  invalid_redirect_uri: ['PARTY_NOT_PERMITTED', 'This redirect URI is not one the party registered: use one of them, written in the same way.'],
};
const knownCodes: ReadonlySet<string> = new Set(errorCodes);

/** Runs what talks to the authorization server, and names what went wrong by the platform's codes. */
export async function named<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw authorizationFault(error);
  }
}

function authorizationFault(error: unknown): unknown {
  if (error instanceof oauth.ResponseBodyError || error instanceof oauth.AuthorizationResponseError) return refusal(error.error, error.error_description ?? '');
  // a 401 with a challenge is how a server may say invalid_client
  if (error instanceof oauth.WWWAuthenticateChallengeError) return refusal(error.cause[0]?.parameters['error'] ?? 'invalid_client', '');
  if (error instanceof oauth.OperationProcessingError) return new VeilgateError('CONSENT_INVALID', 'The answer does not belong to this request: begin again, and use the callback of the same request.');
  if (isNetworkFailure(error)) return new VeilgateError('TOKEN_ISSUER_UNAVAILABLE', 'The authorization server does not answer: try again in a few seconds.');
  return error;
}

function refusal(code: string, description: string): VeilgateError {
  // the platform's own sentence, when it has one, says more than OAuth's code
  const [, own, sentence] = /^([A-Z]+_[A-Z_]+): (.+)$/.exec(description) ?? [];
  if (own !== undefined && sentence !== undefined && knownCodes.has(own)) return new VeilgateError(own as ErrorCode, sentence);
  if (/redirect_uri/.test(description)) return new VeilgateError(...(known['invalid_redirect_uri'] as readonly [ErrorCode, string]));
  const [named, text] = (Object.hasOwn(known, code) ? known[code] : undefined) ?? ['PARTY_NOT_PERMITTED', 'The authorization server refused: look at detail.oauth_error, and ask the platform.'];
  return new VeilgateError(named, text, { oauth_error: code });
}

/** What fetch throws when nobody answers. */
export function isNetworkFailure(error: unknown): boolean {
  return error instanceof TypeError && (error.message === 'fetch failed' || error.cause !== undefined || /network|fetch/i.test(error.message));
}
