import { parameterSets, type ParameterSet } from './parameters.ts';

/**
 * `veilgate-joint-1`: the primes of `veilgate-score-1` with t = 2^24 and no batching: tables of counts are read from
 * coefficients (joint/circuit/layout.ts). Keys are modulo 109 bits at N = 4096, the limit for 128-bit security.
 *
 * What noise can there be at most (coefficients, worst case; q ≈ 2^93, data primes p ≈ 2^46 and r ≈ 2^47)?
 * - A partner's pad, encrypted under its secret key: |e| ≤ 21 (centred binomial), rounding q·m/t: ½. Below 21.5 < 2^4.43.
 * - Σ x·pad over the rows with Σ|x| ≤ 2^22 (`weightSumMax`; 41 for each of 100,000 rows): below 2^26.43. All of it
 *   depends on x, the platform's data, and the partner knows its e: this is what must not be readable.
 * - The blinder's own encryption of zero: below 2^11.1 (parameters.ts).
 * - The flood: uniform in ±2^67, that is 2^40.5 times the most that a sum can make. 2B coefficients leave
 *   for each result, so its distance from one made of other data is at most 2B · 2^26.43 / 2^68 < 2^-34 for B = 64.
 * - q/2t > 2^67.99: exact before switching. Dropping r leaves (2^67 + 2^26.5)/2^46.99 + ½ + ½·4096 < 2^20.02, and
 *   p/2t − 1 ≈ 2^20.99: decryption is exact.
 */
export const jointParameters: ParameterSet = {
  ...parameterSets['veilgate-score-1'],
  id: 'veilgate-joint-1',
  plainModulus: 16_777_216,
  floodBits: 67,
  weightSumMax: 4_194_304,
  parmsIds: {
    key: [0x192979ab11e4e6a6n, 0xa791924ba15a422cn, 0x87933197d7698af7n, 0xfda7f6f8056b10a3n],
    column: [0xdbf73115eb70229cn, 0x091f175d87903a4fn, 0xa025682f91212876n, 0xfc94fe94eb71b8a4n],
    result: [0x4557f149d918a09cn, 0xf9c6295e16b03925n, 0x2f7395cc692e4cc3n, 0xb7c1ad9d5e28763cn],
  },
};
