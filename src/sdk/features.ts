import { VeilgateError } from '../errors.ts';
import type { Feature, FeatureEncoding, FeatureId } from '../scoring/protocol.ts';
import { frameMediaType, writeFrame, type Frame } from '../scoring/feature/frame.ts';
import type { FieldRef } from '../vocabulary.ts';
import type { Connection } from './connection.ts';

/** A key of the custodian as the gateway knows it. */
export type ScoreKeyInfo = { readonly key: string; readonly custodian: string; readonly parameters: string; readonly state: 'pending' | 'active'; /** SHA-256 of the key's bytes, lower-case hex. */ readonly thumbprint: string };

/** A stored column. */
export type BlockStatus = {
  readonly feature: string; readonly block: number; readonly revision: number; readonly digest: string; readonly declaration: string;
  /** Enterprises that may be scored with it. */
  readonly filled: number;
  /** Still holds values of an enterprise that was taken out: to be refreshed. */
  readonly stale: boolean;
  /** Came to this key through masks. */
  readonly rekeyed: boolean;
};

export type UploadOutcome = { readonly stored: number; readonly same: number; readonly rotated: boolean };
export type RemovalOutcome = { readonly block: number; readonly columns: number; readonly features: readonly string[] };
export type RotationOutcome = { readonly rekeyed: number; readonly waiting: number; readonly waiting_of_all: number; readonly rotated: boolean };

type FeatureJson = { readonly feature: FeatureId; readonly field: FieldRef; readonly title: Feature['title']; readonly encoding: FeatureEncoding; readonly missing: Feature['missing']; readonly low: number; readonly high: number; readonly declaration: string };

/** The gateway as a department uses it for sealed scoring: where enterprises stand, encrypted columns in, their state out. */
export function featuresClient(connection: Connection) {
  const dataset = (id: string, rest: string) => `/v1/datasets/${encodeURIComponent(id)}/${rest}`;
  const keys = async () => (await connection.call<{ readonly keys: readonly ScoreKeyInfo[] }>({ method: 'GET', path: '/v1/score-keys' })).keys;
  return {
    keys,
    /** Features as declared now; of one dataset when it is named. */
    async features(of?: string): Promise<Feature[]> {
      const { features } = await connection.call<{ readonly features: readonly FeatureJson[] }>({ method: 'GET', path: `/v1/features${of === undefined ? '' : `?dataset=${encodeURIComponent(of)}`}` });
      return features.map(({ feature, field, ...rest }) => ({ ...rest, id: feature, source: field }));
    },
    /**
     * The custodian's public key with this thumbprint, which the caller learned by another way than from the gateway.
     * Errors: FEATURE_KEY_UNKNOWN when the gateway does not use it, or gives out other bytes for it.
     */
    async publicKey(thumbprint: string): Promise<ScoreKeyInfo & { readonly publicKey: Uint8Array<ArrayBuffer> }> {
      const info = (await keys()).find((key) => key.thumbprint === thumbprint);
      if (info === undefined) throw new VeilgateError('FEATURE_KEY_UNKNOWN', 'The platform does not use the key with this thumbprint: ask the custodian which one is in use.');
      const response = await connection.send({ method: 'GET', path: `/v1/score-keys/${encodeURIComponent(info.key)}` });
      const publicKey = new Uint8Array(await response.arrayBuffer());
      if (await sha256Hex(publicKey) !== thumbprint) throw new VeilgateError('FEATURE_KEY_UNKNOWN', 'The platform gave out another key than the one you named: encrypt nothing, and ask the custodian.');
      return { ...info, publicKey };
    },
    /** Where enterprises stand, in the order asked: block × slots + slot. At most 10,000. */
    positions: async (subjects: readonly string[]) => (await connection.call<{ readonly places: readonly number[] }>({ method: 'POST', path: '/v1/feature-positions', json: { subjects } })).places,
    /** Every stored column of a dataset; under the active key unless another is named. */
    async status(id: string, key?: string): Promise<BlockStatus[]> {
      const found = new Map<string, BlockStatus>();
      for (let from = 0, more = true; more;) {
        const page = await connection.call<{ readonly blocks: readonly BlockStatus[]; readonly more: boolean }>({ method: 'GET', path: dataset(id, `feature-blocks?from=${from}${key === undefined ? '' : `&key=${encodeURIComponent(key)}`}`) });
        for (const block of page.blocks) found.set(blockName(block), block);
        more = page.more;
        from = page.blocks.at(-1)?.block ?? from; // which may be cut off: from it on once more
      }
      return [...found.values()];
    },
    /** Up to 64 signed blocks: all are stored, or none; sending them again changes nothing. */
    upload: (id: string, frames: readonly Frame[]) => connection.call<UploadOutcome>({
      method: 'POST', path: dataset(id, 'feature-blocks'), body: { type: frameMediaType, content: joined(frames.map(writeFrame)) },
    }),
    /** Takes an enterprise out of every column of the platform at once; then refresh the blocks it names. */
    remove: (id: string, subject: string) => connection.call<RemovalOutcome>({ method: 'POST', path: dataset(id, 'feature-removals'), json: { subject } }),
    /** Takes some columns to the custodian's next key without their values; call until `waiting` is 0. */
    rotate: (id: string, limit?: number) => connection.call<RotationOutcome>({ method: 'POST', path: dataset(id, 'feature-rotation'), json: limit === undefined ? {} : { limit } }),
  };
}

export type FeaturesClient = ReturnType<typeof featuresClient>;

/** Names one column of one block. */
export function blockName({ feature, block }: { readonly feature: string; readonly block: number }): string {
  return `${feature}:${block}`;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
