/** Names of the parameter sets of homomorphic encryption. */
export type ParameterSetId = 'veilgate-score-1';

export type ParameterSet = {
  readonly id: ParameterSetId;
  readonly polyModulusDegree: number;
  readonly coeffModulus: readonly bigint[];
  readonly plainModulus: number;
  readonly slots: number;
  readonly columnBytes: number;
  readonly resultBytes: number;
  readonly publicKeyBytes: number;
  readonly secretKeyBytes: number;
  readonly floodBits: number;
  readonly weightSumMax: number;
};

export const parameterSets: Readonly<Record<ParameterSetId, ParameterSet>> = {
  'veilgate-score-1': {
    id: 'veilgate-score-1',
    polyModulusDegree: 4096,
    coeffModulus: [70_368_743_669_761n, 140_737_488_273_409n, 40_961n],
    plainModulus: 1_032_193,
    slots: 4096,
    columnBytes: 131_185,
    resultBytes: 65_649,
    publicKeyBytes: 0,
    secretKeyBytes: 0,
    floodBits: 70,
    weightSumMax: 65_535,
  },
};
