import modelSchema from '../../../policies/schema/model.schema.json' with { type: 'json' };
import type { NamedSchemas } from './compile.ts';
import { embedSchemas } from './embed.ts';

/** The model document as editors check it: what is proposed and what is served. */
export const modelSchemas: NamedSchemas = embedSchemas({ Model: modelSchema });
