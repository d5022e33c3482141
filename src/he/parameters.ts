/** Names of the parameter sets of homomorphic encryption. A set never changes: another one gets another name. */
export type ParameterSetId = 'veilgate-score-1' | 'veilgate-joint-1';

/**
 * A named, versioned literal of the BFV scheme with batching. `coeffModulus` lists the data primes, the last of
 * them dropped from results, and then the special prime that only keys have.
 */
export type ParameterSet = {
  readonly id: ParameterSetId;
  /** N: degree of the ring, and enterprises in a block. */
  readonly polyModulusDegree: number;
  readonly coeffModulus: readonly bigint[];
  /** t: slots are integers mod t; scores are centred in ±(t − 1)/2. */
  readonly plainModulus: number;
  readonly slots: number;
  /** Length of an encrypted feature column, uncompressed, in bytes. */
  readonly columnBytes: number;
  /** Length of a masked result, which has one data prime left. */
  readonly resultBytes: number;
  readonly publicKeyBytes: number;
  readonly secretKeyBytes: number;
  /** Every coefficient of a result gets uniform noise from −2^floodBits to 2^floodBits − 1. */
  readonly floodBits: number;
  /** Σ|weight| of one output: keeps sums below 2^63 before reduction, and bounds their noise. */
  readonly weightSumMax: number;
  /** SEAL's names of the levels (BLAKE2 of the parameters), four 64-bit words: key, encrypted column (all data primes), result (one). */
  readonly parmsIds: { readonly key: readonly bigint[]; readonly column: readonly bigint[]; readonly result: readonly bigint[] };
};

/**
 * `veilgate-score-1`: N = 4096, t = 1,032,193 (20 bits, t ≡ 1 mod 2N), data primes p = 2^46 − 507,903 and
 * r = 2^47 − 81,919, special prime 40,961. All five are prime, and the primes ≡ 1 mod 2N. Keys are modulo
 * 109 bits: the most that the homomorphic encryption standard allows for 128-bit security with ternary secrets
 * at this degree; SEAL refuses to make the context otherwise.
 *
 * What noise can there be at most (coefficients, worst case, not likely case; q = p·r ≈ 2^93)?
 * - A fresh encryption: (e0 + e1·s + e·u) / special prime with |e| ≤ 21 (centred binomial) and ternary s, u:
 *   (21 + 2·4096·21)/40,961 < 5; rounding both components: ½ + ½·4096; rounding q·m/t: ½. Together < 2^11.01.
 *   (A usual one has 2^6.5, all 4096 coefficients counted.)
 * - A sum Σ w·ct with Σ|w| ≤ 65,535: < 2^16 · 2^11.01 = 2^27.01; the blinder adds one fresh encryption.
 *   Part of this depends on the features (rounding) and all of it on the stored ciphertexts.
 * - The flood: uniform in ±2^70, that is 2^42.9 times the most and 2^47 times the usual noise of a sum. Over all
 *   4096 coefficients the statistical distance between results of any two feature sets with the same masked
 *   values is at most N·B/2F = 2^12 · 2^27.01 / 2^71 < 2^-31.9 in the worst case, about 2^-36 usually.
 * - Dropping r divides by 2^47 and rounds: (2^70 + 2^27.1)/2^47 + ½ + ½·4096 < 2^23.01.
 * - Decryption is exact while this stays below p/2t − 1 ≈ 2^25.02. Two bits are left.
 */
export const parameterSets: Readonly<Record<'veilgate-score-1', ParameterSet>> = {
  'veilgate-score-1': {
    id: 'veilgate-score-1',
    polyModulusDegree: 4096,
    coeffModulus: [70_368_743_669_761n, 140_737_488_273_409n, 40_961n],
    plainModulus: 1_032_193,
    slots: 4096,
    columnBytes: 131_185,
    resultBytes: 65_649,
    publicKeyBytes: 196_721,
    secretKeyBytes: 98_392,
    floodBits: 70,
    weightSumMax: 65_535,
    parmsIds: {
      key: [0xf0dd13183e54054bn, 0x347431f30cf51990n, 0xba33aeccbfa93b25n, 0xf78eecf37482e136n],
      column: [0x7e8f0499230e8c18n, 0x19d78155c19564d9n, 0x9231863c6c2f24a9n, 0x3cebc6253aab86d6n],
      result: [0x3c101c5299c8d1cen, 0x8ad36f79b7b0ca30n, 0xc28a4bcdc23cc39en, 0x0213a683616798dcn],
    },
  },
};

/** The set of that name; undefined for a name of somebody else's. */
export function parameterSetOf(id: string): ParameterSet | undefined {
  return Object.hasOwn(parameterSets, id) ? parameterSets[id as keyof typeof parameterSets] : undefined;
}
