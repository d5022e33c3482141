import purposesSchema from '../../../policies/schema/purposes.schema.json' with { type: 'json' };

/** The least and the most the schema of purposes.yaml allows, both included. */
export type Bounds = { readonly min: number; readonly max: number };

const { caps, verification } = purposesSchema.definitions.purpose.properties;
const bounds = ({ minimum, maximum }: { readonly minimum: number; readonly maximum: number }): Bounds => ({ min: minimum, max: maximum });

/** In days, uses, answers, days, years, attempts. */
export const purposeBounds = {
  validity_days_max: bounds(caps.properties.validity_days_max),
  uses_max: bounds(caps.properties.uses_max),
  frequency_max: bounds(caps.properties.frequency_max.properties.max),
  data_life_days_max: bounds(caps.properties.data_life_days_max),
  data_period_years_max: bounds(caps.properties.data_period_years_max),
  attempts_max: bounds(verification.properties.attempts_max),
} as const satisfies Readonly<Record<string, Bounds>>;
