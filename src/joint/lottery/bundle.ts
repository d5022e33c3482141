import { canonicalBytes } from '../../canonical.ts';
import type { ParameterSet } from '../../he/parameters.ts';
import { createPadEncryptor } from '../../he/pads.ts';
import type { He } from '../../he/runtime.ts';
import { chunkRows, chunksFor, layoutOf, padPolynomial } from '../circuit/layout.ts';
import { keystreamOf, startDigest, uniformBins } from './keystream.ts';

/**
 * What a bundle is made for: pads for one project's columns over one cohort. Everything in it goes into the digest,
 * so that a bundle fits nothing else.
 */
export type BundleSpec = {
  readonly project: string;
  readonly cohort: string;
  readonly rows: number;
  /** The partner's one-hot columns, in order. */
  readonly columns: readonly { readonly name: string; readonly bins: number }[];
};

/** One bundle: a short-lived key and, under it, a one-hot vector at a random bin for every row of every column. */
export type Bundle = {
  /** SHA-256, lower-case hex, over spec, index, public key and every pad: what the partner commits to. */
  readonly digest: string;
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
  /** The random bins, by column. */
  readonly pads: readonly Uint8Array[];
};

/**
 * Makes a bundle from its seed, every bit of it: the same seed and spec make the same bundle wherever it is made.
 * That is the whole proof when a bundle is opened: the platform makes it again and compares digests, so bits that are
 * no bits, noise that is no noise and keys that are no keys have nowhere to hide. (Derandomised cut and choose:
 * Goyal, Mohassel, Smith 2008.)
 * @param index which of the K bundles; the same seed cannot serve twice
 * @param emit receives each pad ciphertext, column by column, chunk by chunk; nothing is kept of them
 */
export function makeBundle(he: He, set: ParameterSet, spec: BundleSpec, index: number, seed: Uint8Array, emit: (pad: Uint8Array, column: number, chunk: number) => void = () => {}): Bundle {
  const parts = bundleParts(he, set, spec, index, seed);
  for (;;) {
    const part = parts.next();
    if (part.done === true) return part.value;
    emit(part.value.pad, part.value.column, part.value.chunk);
  }
}

export type BundlePad = { readonly pad: Uint8Array; readonly column: number; readonly chunk: number };

/** The same, pad by pad, for who sends them as they are made: nothing is kept of them. */
export function* bundleParts(he: He, set: ParameterSet, spec: BundleSpec, index: number, seed: Uint8Array): Generator<BundlePad, Bundle> {
  const digest = startBundleDigest(set, spec, index);
  const encryptor = createPadEncryptor(he, set, keystreamOf(seed, 'veilgate joint encryption'));
  try {
    digest.update(encryptor.publicKey);
    const pads: Uint8Array[] = [];
    for (const [column, { bins }] of spec.columns.entries()) {
      const drawn = padBins(spec, column, seed);
      const layout = layoutOf(set.polyModulusDegree, bins);
      for (let chunk = 0; chunk < chunksFor(layout, spec.rows); chunk += 1) {
        const { from, to } = chunkRows(layout, chunk, spec.rows);
        const pad = encryptor.encrypt(padPolynomial(layout, drawn.subarray(from, to)));
        digest.update(pad);
        yield { pad, column, chunk };
      }
      pads.push(drawn);
    }
    return { digest: digest.hex(), publicKey: encryptor.publicKey, secretKey: encryptor.secretKey, pads };
  } finally {
    encryptor.close();
  }
}

/** The random bins of one column: what its shifts are made with. */
export function padBins(spec: BundleSpec, column: number, seed: Uint8Array): Uint8Array {
  return uniformBins(spec.rows, (spec.columns[column] as BundleSpec['columns'][number]).bins, keystreamOf(seed, `veilgate joint pad ${column}`));
}

/** Its key pair alone: what opens results. */
export function bundleKeys(he: He, set: ParameterSet, seed: Uint8Array): { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array } {
  const { publicKey, secretKey, close } = createPadEncryptor(he, set, keystreamOf(seed, 'veilgate joint encryption'));
  close();
  return { publicKey, secretKey };
}

/** The digest of a bundle's parts as they arrive: public key first, then every pad in order. */
export function startBundleDigest(set: ParameterSet, spec: BundleSpec, index: number) {
  const digest = startDigest();
  digest.update(canonicalBytes({ v: 1, parameters: set.id, index, project: spec.project, cohort: spec.cohort, rows: spec.rows, columns: spec.columns.map(({ name, bins }) => ({ name, bins })) }));
  return digest;
}

/** Number of pads of a whole bundle. */
export function padsOf(set: ParameterSet, spec: BundleSpec): number {
  return spec.columns.reduce((sum, { bins }) => sum + chunksFor(layoutOf(set.polyModulusDegree, bins), spec.rows), 0);
}
