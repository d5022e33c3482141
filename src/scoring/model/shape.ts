import type { Model } from '../protocol.ts';

/** Checks a model document against policies/schema/model.schema.json and in itself. Errors: MODEL_INVALID with every problem and its place. */
export function parseModel(_json: unknown): Model {
  throw new Error('parseModel');
}

/** SHA-256, lower-case hex, of the canonical JSON of the model's document: what is approved. */
export function modelDigest(_model: Model): string {
  throw new Error('modelDigest');
}
