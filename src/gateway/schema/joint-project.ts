import projectSchema from '../../../policies/schema/joint-project.schema.json' with { type: 'json' };
import type { NamedSchemas } from './compile.ts';
import { embedSchemas } from './embed.ts';

/** The project as editors check it: what is proposed and what is served. */
export const jointProjectSchemas: NamedSchemas = embedSchemas({ JointProject: projectSchema });
