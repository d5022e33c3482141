import { purposeBounds } from '../../policy/edit/purpose-bounds.ts';
import type { Fact } from '../../policy/facts.ts';
import { uses } from '../../policy/rule.ts';
import { ok, route, trustedJson, type JsonObject, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { object } from '../schema/words.ts';
import type { ReadyVersions } from '../use-cases/policy-cells.ts';
import { readPurpose, type PurposeView } from '../use-cases/policy-purposes.ts';
import { versionNumber } from './policy-forms.ts';
import { purposeForm } from './policy-purpose-forms.ts';
import type { Services } from './services.ts';

/** A purpose of the policy for people: its minimum, its caps, the facts its answers hang on. It changes by the edits that cells change by. */
export function policyPurposeRoutes({ policies: desk }: Pick<Services, 'policies'>, versions: ReadyVersions): readonly Route[] {
  return [
    route<{ params: { readonly version: number; readonly purpose: string } }>({
      method: 'GET', path: '/v1/policies/{version}/purposes/{purpose}', operationId: 'readPolicyPurpose', tag: 'Policies', access: 'party', scopes: ['compliance', 'audit'],
      summary: 'One purpose: every field and whether the purpose needs it, caps with their bounds, conditions and facts',
      request: { params: object({ version: versionNumber, purpose: named('PurposeCode') }) },
      responses: { 200: { description: 'The purpose.', schema: purposeForm } },
      errors: ['POLICY_IN_FOLDER', 'POLICY_VERSION_NOT_FOUND', 'POLICY_BROKEN', 'REQUEST_INVALID'],
      handler: async ({ params }) => ok(purposeJson(await readPurpose(desk, versions, params.version, params.purpose))),
    }),
  ];
}

function purposeJson({ ready: { version }, purpose, datasets, conditions, facts }: PurposeView): JsonObject {
  const { caps } = purpose;
  return {
    version: version.number, digest: version.digest, purpose: purpose.code, title: trustedJson(purpose.title), description: trustedJson(purpose.description), uses: uses.filter((use) => purpose.uses.has(use)),
    caps: {
      validity_days_max: caps.validityDaysMax, uses_max: caps.usesMax, frequency_max: { ...caps.frequencyMax }, data_life_days_max: caps.dataLifeDaysMax,
      data_period_years_max: caps.dataPeriodYearsMax, kinds: caps.kinds,
    },
    attempts_max: purpose.verificationAttemptsMax, bounds: trustedJson(purposeBounds),
    datasets: datasets.map(({ dataset: { id, title }, fields }) => ({
      dataset: id, title, fields: fields.map(({ field: { ref, title: name, type, classification: { level, kind } }, inMinimum, opened }) =>
        ({ field: ref, title: name, type, level, kind, in_minimum: inMinimum, opened })),
    })),
    conditions: trustedJson(conditions), facts: facts.map(({ fact, rules }) => ({ fact: fact.name, declared: declaredJson(fact), rules })),
  };
}

function declaredJson({ type, title, unit, min, max, codes }: Fact): JsonObject {
  return { type, title: trustedJson(title), unit, min, max, codes };
}
