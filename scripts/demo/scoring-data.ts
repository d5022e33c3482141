/** The demo's features: encrypted by the departments that own them, and in clear for comparing at the end. */
import { createColumnEncryptor } from '../../src/he/encrypt.ts';
import { parameterSetOf, type ParameterSet } from '../../src/he/parameters.ts';
import { loadHe } from '../../src/he/runtime.ts';
import { columnBuilder } from '../../src/scoring/feature/column-builder.ts';
import { encodeValue } from '../../src/scoring/feature/encode.ts';
import type { Feature, Model } from '../../src/scoring/protocol.ts';
import type { Connection } from '../../src/sdk/connection.ts';
import { uploadColumns } from '../../src/sdk/feature-upload.ts';
import { featuresClient } from '../../src/sdk/features.ts';
import { featureRows } from '../sample/features.ts';
import type { SampleOptions } from '../sample/profile.ts';

export type EncryptedDataset = {
  readonly features: readonly Feature[];
  /** Columns that were stored, and values in them. */
  readonly columns: number;
  readonly values: number;
  /** The first value of the first column on its way. */
  readonly example: { readonly feature: string; readonly value: string; readonly integer: number; readonly ciphertext: string };
};

/** What `veilgate domain encrypt` does, in this process: encode, encrypt under the key with this thumbprint, sign, upload. */
export async function encryptDataset(connection: Connection, dataset: string, thumbprint: string, sample: SampleOptions): Promise<EncryptedDataset> {
  const client = featuresClient(connection);
  const [features, key] = await Promise.all([client.features(dataset), client.publicKey(thumbprint)]);
  const set = parameterSetOf(key.parameters) as ParameterSet;
  const columns = columnBuilder(features, set.slots);
  const rows = [...featureRows(dataset, features, sample)];
  const places = await client.positions(rows.map(({ subject }) => String(subject)));
  const sources = features.map(({ source }) => source.slice(source.indexOf('.') + 1));
  rows.forEach((row, at) => columns.add(at + 1, places[at] as number, sources.map((name) => row[name])));
  const encryptor = createColumnEncryptor(await loadHe(), set, key.publicKey);
  let first: Uint8Array | undefined;
  try {
    const upload = await uploadColumns({
      connection, dataset, features, key, columns, width: 1,
      encrypt: async (values) => {
        const bytes = encryptor.encrypt(values) as Uint8Array<ArrayBuffer>;
        first ??= bytes;
        return bytes;
      },
      memory: { salt: crypto.getRandomValues(new Uint8Array(16)), get: () => undefined, put: async () => {} },
    });
    const [feature] = features;
    const value = rows[0]?.[sources[0] ?? ''] ?? null;
    return {
      features, columns: upload.stored, values: upload.values,
      example: { feature: feature?.id ?? '', value: String(value), integer: feature === undefined ? 0 : Number(encodeValue(feature, value)), ciphertext: Buffer.from(first?.subarray(113, 125) ?? []).toString('hex') },
    };
  } finally {
    encryptor.close();
  }
}

/** The clear twin: what each enterprise's raw score must be; an enterprise that lacks a value has none. */
export function clearScores(model: Model, features: readonly Feature[], sample: SampleOptions): ReadonlyMap<string, number> {
  const declared = new Map(features.map((feature) => [feature.id, feature]));
  const sums = new Map<string, number>();
  const counts = new Map<string, number>();
  const used = model.terms.map(({ feature, weight }) => ({ feature: declared.get(feature) as Feature, weight }));
  for (const [dataset, terms] of Map.groupBy(used, ({ feature }) => feature.id.slice(0, feature.id.indexOf('/')))) {
    for (const row of featureRows(dataset, terms.map(({ feature }) => feature), sample)) {
      const subject = String(row['subject']);
      for (const { feature, weight } of terms) {
        const value = encodeValue(feature, row[feature.source.slice(feature.source.indexOf('.') + 1)]);
        if (value === 'absent') continue;
        sums.set(subject, (sums.get(subject) ?? model.offset) + weight * value);
        counts.set(subject, (counts.get(subject) ?? 0) + 1);
      }
    }
  }
  return new Map([...sums].filter(([subject]) => counts.get(subject) === model.terms.length));
}
