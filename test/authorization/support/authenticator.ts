import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** What the page's script would send: a PublicKeyCredential as JSON. */
export type CredentialJson = { readonly id: string; readonly rawId: string; readonly type: 'public-key'; readonly response: Record<string, string>; readonly clientExtensionResults: object };

/** What may go wrong, or be done wrong on purpose. */
export type Changes = {
  readonly challenge?: string; readonly origin?: string; readonly rpId?: string; readonly type?: string; readonly userHandle?: string;
  readonly flags?: number; readonly counter?: number; readonly key?: KeyObject; readonly id?: string;
};

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest();
/** User present and verified. */
const presentAndVerified = 0x05;
const attestedData = 0x40;

/** CBOR (RFC 8949) of the few shapes that a registration needs. */
function cbor(value: number | string | Uint8Array | ReadonlyMap<number | string, unknown>): Buffer {
  const head = (major: number, n: number) => (n < 24 ? Buffer.from([major << 5 | n]) : n < 256 ? Buffer.from([major << 5 | 24, n]) : Buffer.from([major << 5 | 25, n >> 8, n & 255]));
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  return Buffer.concat([head(5, value.size), ...[...value].flatMap(([key, member]) => [cbor(key), cbor(member as number)])]);
}

/** An authenticator in software with one ES256 key, as a device with a screen lock would be (WebAuthn level 3). */
export function authenticator(origin: string, { counts = true } = {}) {
  const rpId = new URL(origin).hostname;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = base64url(randomBytes(32));
  let counter = 0;
  let owner: string | undefined;
  const clientData = (type: string, challenge: string, at: string) => Buffer.from(JSON.stringify({ type, challenge, origin: at, crossOrigin: false }));
  const authData = (flags: number, count: number, party: string, attested = Buffer.alloc(0)) => {
    const end = Buffer.alloc(5);
    end.writeUInt8(flags);
    end.writeUInt32BE(count, 1);
    return Buffer.concat([sha256(party), end, attested]);
  };
  return {
    id,
    create({ challenge, user }: { readonly challenge: string; readonly user: { readonly id: string } }, changes: Changes = {}): CredentialJson {
      owner = user.id;
      const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
      const cose = cbor(new Map<number, unknown>([[1, 2], [3, -7], [-1, 1], [-2, Buffer.from(x, 'base64url')], [-3, Buffer.from(y, 'base64url')]]));
      const rawId = Buffer.from(changes.id ?? id, 'base64url');
      const attested = Buffer.concat([Buffer.alloc(16), Buffer.from([rawId.length >> 8, rawId.length & 255]), rawId, cose]);
      const data = authData((changes.flags ?? presentAndVerified) | attestedData, changes.counter ?? 0, changes.rpId ?? rpId, attested);
      return {
        id: base64url(rawId), rawId: base64url(rawId), type: 'public-key', clientExtensionResults: {},
        response: {
          clientDataJSON: base64url(clientData(changes.type ?? 'webauthn.create', changes.challenge ?? challenge, changes.origin ?? origin)),
          attestationObject: base64url(cbor(new Map<string, unknown>([['fmt', 'none'], ['attStmt', new Map()], ['authData', data]]))),
        },
      };
    },
    get({ challenge }: { readonly challenge: string }, changes: Changes = {}): CredentialJson {
      if (counts) counter += 1;
      const client = clientData(changes.type ?? 'webauthn.get', changes.challenge ?? challenge, changes.origin ?? origin);
      const data = authData(changes.flags ?? presentAndVerified, changes.counter ?? counter, changes.rpId ?? rpId);
      const signature = sign('sha256', Buffer.concat([data, sha256(client)]), changes.key ?? privateKey);
      return {
        id: changes.id ?? id, rawId: changes.id ?? id, type: 'public-key', clientExtensionResults: {},
        response: { clientDataJSON: base64url(client), authenticatorData: base64url(data), signature: base64url(signature), userHandle: changes.userHandle ?? owner ?? '' },
      };
    },
  };
}
