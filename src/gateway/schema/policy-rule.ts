import rules from '../../../policies/schema/rules.schema.json' with { type: 'json' };
import type { JsonSchema, NamedSchemas } from './compile.ts';
import { embedSchemas } from './embed.ts';

/** `named('PolicyRules/definitions/opening')` and the like: what a rule may open, as editors of rule files are told too. */
export const policyRuleSchemas: NamedSchemas = embedSchemas({ PolicyRules: closed(rules) as JsonSchema });

/**
 * Of an object described by alternatives, only what its alternative names may be there: rule files are held to that by
 * the checker's own `discriminator`, which JSON Schema does not know.
 */
function closed(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(closed);
  if (typeof part !== 'object' || part === null) return part;
  const { discriminator, ...rest } = part as Record<string, unknown>;
  // a name that is only asked for is declared too: this interface's schemas are read more strictly
  const asked = Array.isArray(rest['required']) && !('properties' in rest) ? { properties: Object.fromEntries((rest['required'] as string[]).map((name) => [name, {}])) } : {};
  const alternatives = discriminator !== undefined || (rest['type'] === 'object' && 'if' in rest);
  return { ...asked, ...Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, closed(value)])), ...(alternatives ? { unevaluatedProperties: false } : {}) };
}
