/**
 * The form of a sealed answer, shared by those who seal and those who open; docs/formats/sealed-answer.md.
 * Portable: runs in browsers too.
 */

/** `typ` and `cty` of the protected header. */
export const sealedType = 'sealed-answer+jwe';
export const sealedContentType = 'json';

/** RFC 7518: key agreement with a fresh key for every answer, then A256GCM. Nothing else is made or read. */
export const keyAgreements = ['ECDH-ES+A256KW', 'ECDH-ES'] as const;
export type KeyAgreement = (typeof keyAgreements)[number];
export const contentEncryption = 'A256GCM';

/** What the encrypted JSON holds. */
export type SealedContent = {
  /** The gateway that sealed. */
  readonly iss: string;
  /** The party it is sealed for. */
  readonly aud: string;
  /** Names the one answer it belongs to. */
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly data: Readonly<Record<string, unknown>>;
};

const kib = 1024;
const bucketsBytes = [1 * kib, 4 * kib, 16 * kib, 64 * kib, 128 * kib, 256 * kib] as const;
const largeStepBytes = 256 * kib;
/** Larger answers are not sealed: ask for fewer rows. */
export const sealedBytesMax = 4096 * kib;

/** Blanks after JSON mean nothing to its parser: padding that needs no unpadding. */
export const paddingByte = 0x20;

/**
 * The length a plaintext is padded to: 1, 4, 16, 64, 128, 256 KiB, then whole multiples of 256 KiB.
 * @returns undefined beyond sealedBytesMax
 */
export function paddedLength(lengthBytes: number): number | undefined {
  if (lengthBytes > sealedBytesMax) return undefined;
  return bucketsBytes.find((bucket) => lengthBytes <= bucket) ?? Math.ceil(lengthBytes / largeStepBytes) * largeStepBytes;
}
