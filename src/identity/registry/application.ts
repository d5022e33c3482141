import { VeilgateError } from '../../errors.ts';
import type { InstitutionClass, InstitutionId, PublicJwk, TimeMs } from '../../vocabulary.ts';
import { checkClaims, checkSignature, keyIdOf, readClaims, readCompact, readHeader, unknownKey } from '../strict-jws.ts';
import { importVerificationKey } from '../verification-key.ts';
import { vetPublicKey } from '../vetting.ts';
import { displayName, invalid, partyId, type DisplayName } from './party.ts';

export const applicationType = 'application+jwt';
const lifetimeMaxS = 300;
/** Of one that an officer hands in: it goes from hand to hand first. */
const handedInLifetimeMaxS = 7 * 86_400;
const redirectUrisMax = 10;
const redirectUriLengthMax = 512;
const encryptionKeysMax = 4;
const countryGrammar = /^[A-Z]{2}$/;

/** An institution's application after all checks that need no database. */
export type VerifiedApplication = {
  readonly institution: InstitutionId;
  readonly name: DisplayName;
  readonly class: InstitutionClass;
  readonly country: string;
  readonly redirectUris: readonly string[];
  readonly signatureKey: PublicJwk;
  readonly encryptionKeys: readonly PublicJwk[];
  /** The compact JWS as it arrived. */
  readonly jws: string;
};

/**
 * Reads an application (docs/formats/tokens.md): a JWS signed with the one signature key it carries, so that nobody
 * applies with a key that is not theirs. Further signature keys are added later, each with its own proof.
 * @param rules `classes`: institution classes the policy knows; `handedIn`: by an officer
 * Errors: TOKEN_ codes, those of strict-json, KEY_REFUSED, REQUEST_INVALID.
 */
export async function verifyApplication(jws: string, rules: { readonly audience: string; readonly classes: ReadonlySet<string>; readonly handedIn: boolean; readonly nowMs: TimeMs }): Promise<VerifiedApplication> {
  const compact = readCompact(jws);
  const header = readHeader(compact, [applicationType], ['kid']);
  const kid = keyIdOf(header);
  // read before the signature is checked: the key to check it with is inside
  const claims = readClaims(compact);
  const application = object(claims['application'], '/application');
  const { signatureKey, encryptionKeys } = keysOf(application['jwks']);
  if (signatureKey.kid !== kid) throw unknownKey();
  await checkSignature(compact, header, importVerificationKey(signatureKey));
  const institution = partyId(claims['iss'], '/iss') as InstitutionId;
  checkClaims(claims, { issuer: institution, audience: rules.audience, maxLifetimeS: rules.handedIn ? handedInLifetimeMaxS : lifetimeMaxS, requiredClaims: ['application'], nowMs: rules.nowMs });
  return {
    institution,
    name: displayName(application['name'], '/application/name'),
    class: knownClass(application['institution_class'], rules.classes),
    country: country(application['country']),
    redirectUris: redirectUris(application['redirect_uris']),
    signatureKey,
    encryptionKeys,
    jws,
  };
}

function keysOf(jwks: unknown): { signatureKey: PublicJwk; encryptionKeys: readonly PublicJwk[] } {
  const { keys } = object(jwks, '/application/jwks');
  if (!Array.isArray(keys) || keys.length > encryptionKeysMax + 1) throw invalid('/application/jwks/keys', 'Send one signature key and at most four encryption keys.');
  const declared = (use: string) => keys.filter((key: unknown) => object(key, '/application/jwks/keys')['use'] === use);
  const [signature, encryption] = [declared('sig'), declared('enc')];
  if (signature.length !== 1 || encryption.length !== keys.length - 1) {
    throw new VeilgateError('KEY_REFUSED', 'An application carries exactly one key with use "sig", the one that signs it, and any other with use "enc": add further signature keys later.', { reason: 'use' });
  }
  return { signatureKey: vetPublicKey(signature[0], 'sig'), encryptionKeys: encryption.map((key) => vetPublicKey(key, 'enc')) };
}

function knownClass(value: unknown, classes: ReadonlySet<string>): InstitutionClass {
  if (typeof value !== 'string' || !classes.has(value)) throw invalid('/application/institution_class', 'The platform knows no such class of institutions: choose one of its list.');
  return value as InstitutionClass;
}

function country(value: unknown): string {
  if (typeof value !== 'string' || !countryGrammar.test(value)) throw invalid('/application/country', 'A country is two capital letters (ISO 3166-1 alpha-2).');
  return value;
}

/** https only, or http to one's own machine; compared byte by byte later, so only the normal form is taken. */
function redirectUris(value: unknown): readonly string[] {
  const pointer = '/application/redirect_uris';
  if (!Array.isArray(value) || value.length > redirectUrisMax || new Set(value).size !== value.length) throw invalid(pointer, 'Send at most ten different redirect URIs.');
  return value.map((text: unknown) => {
    const url = typeof text === 'string' && text.length <= redirectUriLengthMax ? URL.parse(text) : null;
    const loopback = url?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
    if (url === null || url.href !== text || !(url.protocol === 'https:' || loopback) || url.hash !== '' || url.username !== '' || url.password !== '') {
      throw invalid(pointer, 'A redirect URI is an https address in normal form, without user, password and fragment; http is for one\'s own machine only.');
    }
    return url.href;
  });
}

function object(value: unknown, pointer: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(pointer, 'A JSON object is needed here.');
  return value as Readonly<Record<string, unknown>>;
}
