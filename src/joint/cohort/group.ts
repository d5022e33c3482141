import sodium from 'libsodium-wrappers-sumo';
import { VeilgateError } from '../../errors.ts';

/**
 * ristretto255 (RFC 9496): a group of prime order 2^252 + …, so no point hides in a small subgroup, with libsodium's
 * constant-time arithmetic compiled to WebAssembly. Points and scalars are 32 bytes.
 */
export type Group = {
  readonly randomScalar: () => Uint8Array;
  /** hash_to_ristretto255 (RFC 9380, appendix B) with expand_message_xmd over SHA-512. @param domain at most 255 bytes */
  readonly hashToPoint: (message: Uint8Array, domain: Uint8Array) => Uint8Array;
  /** scalar · point. Errors: COHORT_POINT_REFUSED for what is no point, or the identity. */
  readonly multiply: (scalar: Uint8Array, point: Uint8Array) => Uint8Array;
};

export const pointBytes = 32;

const blockBytes = 128;
const uniformBytes = 64;

export async function loadGroup(): Promise<Group> {
  await sodium.ready;
  return {
    randomScalar: () => sodium.crypto_core_ristretto255_scalar_random(),
    hashToPoint: (message, domain) => sodium.crypto_core_ristretto255_from_hash(expandMessage(message, domain)),
    multiply(scalar, point) {
      // libsodium takes canonical encodings only, and gives no identity back
      try {
        return sodium.crypto_scalarmult_ristretto255(scalar, point);
      } catch {
        throw new VeilgateError('COHORT_POINT_REFUSED', 'What was sent is no list of blinded codes: make it with Veilgate\'s own tools and send it again.');
      }
    },
  };
}

/** expand_message_xmd of RFC 9380, 5.3.1, for 64 bytes: exactly one block of SHA-512 after the first. */
function expandMessage(message: Uint8Array, domain: Uint8Array): Uint8Array {
  if (domain.length < 1 || domain.length > 255) throw new RangeError('a domain separation tag has 1 to 255 bytes');
  const tag = Uint8Array.of(...domain, domain.length);
  const first = sodium.crypto_hash_sha512(join(new Uint8Array(blockBytes), message, Uint8Array.of(0, uniformBytes, 0), tag));
  return sodium.crypto_hash_sha512(join(first, Uint8Array.of(1), tag));
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
