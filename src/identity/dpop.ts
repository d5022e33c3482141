import { VeilgateError, isVeilgateError, type ErrorDetail } from '../errors.ts';
import type { TimeMs } from '../vocabulary.ts';
import type { AccessToken } from './access-token.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { DpopNonces } from './dpop-nonce.ts';
import { checkSignature, clockSkewS, readClaims, readCompact, readHeader, type Compact, type Header } from './strict-jws.ts';
import { importVerificationKey, type VerificationKey } from './verification-key.ts';
import { jwkThumbprint } from './vetting.ts';

export type ProofRequest = {
  /** Value of the DPoP header. */
  readonly proof: string | undefined;
  readonly method: string;
  /** The URL the caller asked for, absolute, as seen from outside. */
  readonly url: string;
  /** What the proof must be bound to. */
  readonly token: Pick<AccessToken, 'digest' | 'dpopKeyThumbprint'>;
};

/** Until `expiresAtMs` the proof's (key, jti) must not be accepted again. */
export type VerifiedProof = { readonly keyThumbprint: string; readonly jti: string; readonly expiresAtMs: TimeMs };

export type Proofs = {
  /** Errors: DPOP_MISSING, DPOP_INVALID, DPOP_BINDING_MISMATCH, DPOP_NONCE_REQUIRED (detail `nonce`: use it). */
  readonly verify: (request: ProofRequest, nowMs: TimeMs) => Promise<VerifiedProof>;
};

const lengthMax = 8192;
/** Age a proof may have. */
const windowS = 60;
const jtiGrammar = /^[\x21-\x7e]{16,128}$/;

/**
 * Checks proofs of possession (RFC 9449 section 4.3). A client's proofs all begin with the same header: header and
 * imported key are remembered by its text.
 * @param nonces undefined: no nonce is asked for
 */
export function dpopProofs(nonces: DpopNonces | undefined, maxCached = 10_000): Proofs {
  type KnownHeader = { readonly header: Header; readonly key: VerificationKey };
  const known = new BoundedCache<KnownHeader>(maxCached);

  const readKey = (compact: Compact, expectedThumbprint: string): KnownHeader => {
    const before = known.get(compact.encodedHeader);
    if (before !== undefined) {
      if (before.key.thumbprint !== expectedThumbprint) throw mismatch();
      return before;
    }
    const header = readHeader(compact, ['dpop+jwt'], ['jwk']);
    const { jwk } = header;
    if (typeof jwk !== 'object' || jwk === null) throw invalid('jwk', 'The DPoP proof carries no public key: put it into the header jwk.');
    // a stolen token alone causes no big-integer arithmetic
    if (jwkThumbprint(jwk as Readonly<Record<string, unknown>>) !== expectedThumbprint) throw mismatch();
    const fresh = { header, key: importVerificationKey(jwk) };
    known.set(compact.encodedHeader, fresh);
    return fresh;
  };

  const check = async (request: ProofRequest, proof: string, nowMs: TimeMs): Promise<VerifiedProof> => {
    const compact = readCompact(proof, lengthMax);
    const { header, key } = readKey(compact, request.token.dpopKeyThumbprint);
    await checkSignature(compact, header, key);
    const { jti, htm, htu, iat, ath, nonce } = readClaims(compact, 4);
    if (htm !== request.method) throw invalid('htm', 'The DPoP proof is for another method: set htm to the request\'s.');
    if (typeof htu !== 'string' || !sameTarget(htu, request.url)) throw invalid('htu', 'The DPoP proof is for another address: set htu to the request\'s URL without query.');
    if (ath !== request.token.digest) throw invalid('ath', 'The DPoP proof is for another access token: set ath to the SHA-256 of the one sent.');
    if (typeof jti !== 'string' || !jtiGrammar.test(jti)) throw invalid('jti', 'The DPoP proof needs a jti of 16 to 128 visible characters, new each time.');
    if (typeof iat !== 'number' || !Number.isSafeInteger(iat) || iat > nowMs / 1000 + clockSkewS || iat <= nowMs / 1000 - windowS) {
      throw invalid('iat', `The DPoP proof is not from the last ${windowS} seconds: make a new one for each request, and check your clock.`);
    }
    if (nonces !== undefined && !nonces.accepts(nonce, nowMs)) {
      throw new VeilgateError('DPOP_NONCE_REQUIRED', 'The DPoP proof needs the nonce given with this answer: make a new proof with it.', { nonce: nonces.current(nowMs) });
    }
    return { keyThumbprint: key.thumbprint, jti, expiresAtMs: (iat + windowS) * 1000 as TimeMs };
  };

  return {
    async verify(request, nowMs) {
      if (request.proof === undefined || request.proof === '') throw new VeilgateError('DPOP_MISSING', 'A DPoP proof is needed: send one in the header DPoP (RFC 9449).');
      try {
        return await check(request, request.proof, nowMs);
      } catch (error) {
        if (!isVeilgateError(error) || error.code.startsWith('DPOP_')) throw error;
        throw new VeilgateError('DPOP_INVALID', error.message, { ...error.detail, reason: error.code } satisfies ErrorDetail);
      }
    },
  };
}

/** Compares htu with the request's URL as RFC 9449 section 4.3 asks: without query and fragment, normalised. */
export function sameTarget(htu: string, url: string): boolean {
  const query = url.indexOf('?');
  if (htu === (query < 0 ? url : url.slice(0, query))) return true;
  const claimed = normalForm(htu);
  return claimed !== undefined && claimed === normalForm(url);
}

/** RFC 3986 sections 6.2.2 and 6.2.3, without query and fragment. */
function normalForm(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !(url.protocol === 'https:' || url.protocol === 'http:') || url.username !== '' || url.password !== '') return undefined;
  const path = url.pathname.replace(/%[0-9A-Fa-f]{2}/g, (escaped) => {
    const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : escaped.toUpperCase();
  });
  return url.origin + path;
}

function mismatch(): VeilgateError {
  return new VeilgateError('DPOP_BINDING_MISMATCH', 'The access token is bound to another key than the one of the DPoP proof: use the key it was fetched with.');
}

function invalid(member: string, message: string): VeilgateError {
  return new VeilgateError('DPOP_INVALID', message, { member });
}
