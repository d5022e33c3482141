import { createHash } from 'node:crypto';
import { VeilgateError } from '../../errors.ts';
import { checkCiphertextBytes } from '../../he/wire.ts';
import { parameterSetOf, type ParameterSet } from '../../he/parameters.ts';
import type { KnownScoreKey } from '../../scoring/feature/keys.ts';
import { keyUnknown } from '../../scoring/feature/keys.ts';
import type { Frame } from '../../scoring/feature/frame.ts';
import { blockMax, slotsPerBlock } from '../../scoring/feature/positions.ts';
import type { Feature, FeatureBlockClaims, FeatureId } from '../../scoring/protocol.ts';

/** A block whose envelope and bytes fit together; its ciphertext was not loaded yet. */
export type CheckedBlock = {
  readonly feature: Feature;
  readonly claims: FeatureBlockClaims;
  readonly set: ParameterSet;
  readonly filled: Uint8Array;
  readonly frame: Frame;
};

const revisionMax = 2 ** 40;
const digestShape = /^[0-9a-f]{64}$/;

/** What is wrong with a block, without a word about what is in it. */
export function blockInvalid(problem: string): VeilgateError {
  return new VeilgateError('FEATURE_BLOCK_INVALID', `The feature block is not acceptable: ${problem}. Encrypt it anew with this version of the client.`, { problem });
}

/**
 * Everything about a block that its envelope and its bytes tell, before anything of the ciphertext is interpreted.
 * @param claims of an envelope whose signature, issuer, audience and times were checked
 * Errors: FEATURE_BLOCK_INVALID, FEATURE_UNKNOWN, FEATURE_DECLARATION_CHANGED, FEATURE_KEY_UNKNOWN, HE_CIPHERTEXT_REFUSED.
 */
export function checkBlock(claims: Readonly<Record<string, unknown>>, frame: Frame, features: ReadonlyMap<FeatureId, Feature>, dataset: string, keys: readonly KnownScoreKey[]): CheckedBlock {
  if (!isBlockClaims(claims)) throw blockInvalid('a claim of its envelope is not what it must be');
  const feature = features.get(claims.feature);
  if (feature === undefined || !feature.id.startsWith(`${dataset}/`)) {
    throw new VeilgateError('FEATURE_UNKNOWN', 'The envelope names a feature that this dataset does not have: see the features there are.');
  }
  if (claims.declaration !== feature.declaration) {
    throw new VeilgateError('FEATURE_DECLARATION_CHANGED', `${feature.id} is declared otherwise by now: fetch its declaration and encrypt the column anew.`, { feature: feature.id });
  }
  const key = keys.find(({ keyId }) => keyId === claims.key);
  const set = parameterSetOf(claims.parameters);
  if (key === undefined || set === undefined || key.parameters !== claims.parameters) throw keyUnknown();
  const filled = Buffer.from(claims.filled, 'base64url');
  if (set.slots !== slotsPerBlock || filled.length !== set.slots / 8 || filled.toString('base64url') !== claims.filled) throw blockInvalid('the bitmap of its slots is not as long as its parameter set says');
  if (createHash('sha256').update(frame.ciphertext).digest('hex') !== claims.digest) throw blockInvalid('its bytes are not the ones the envelope was signed for');
  checkCiphertextBytes(set, frame.ciphertext, 'column');
  return { feature, claims, set, filled, frame };
}

function isBlockClaims(claims: Readonly<Record<string, unknown>>): claims is Readonly<Record<string, unknown>> & FeatureBlockClaims {
  const { feature, declaration, key, parameters, block, revision, filled, digest, jti } = claims;
  return typeof feature === 'string' && typeof declaration === 'string' && typeof key === 'string' && typeof parameters === 'string' && typeof filled === 'string'
    && whole(block, 0, blockMax) && whole(revision, 1, revisionMax) && typeof digest === 'string' && digestShape.test(digest) && jti === digest;
}

function whole(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max;
}
