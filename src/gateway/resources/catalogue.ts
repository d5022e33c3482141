import { VeilgateError } from '../../errors.ts';
import type { Caller, Dataset, Field } from '../../vocabulary.ts';
import { ok, route, type Json, type JsonObject, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { list, object, text } from '../schema/words.ts';
import type { Services } from './services.ts';

const uses = ['read', 'verify', 'score', 'aggregate'] as const;

/** What can be asked for at all. An institution sees only what some rule opens to its class. */
export function catalogueRoutes({ catalogue, policy }: Pick<Services, 'catalogue' | 'policy'>): readonly Route[] {
  return [
    route({
      method: 'GET', path: '/v1/catalogue', operationId: 'readCatalogue', tag: 'Catalogue', access: 'party', scopes: ['query', 'grants', 'records', 'registry', 'compliance', 'audit'],
      summary: 'Datasets, fields and purposes',
      description: 'Institutions see the fields that policy opens to their class for some purpose; a field that is not listed is answered as if it did not exist.',
      responses: { 200: { description: 'The catalogue as far as you may see it.', schema: object({ policy: named('PolicyVersion'), datasets: list({ type: 'object' }, 1000), purposes: list(object({ code: named('PurposeCode'), title: named('Title'), description: named('Title') }), 100) }) } },
      errors: [],
      examples: { cli: 'veilgate catalogue' },
      handler: async ({ caller }) => {
        const current = policy();
        const visible = visibleFields(caller, current);
        const datasets = [...catalogue.datasets.values()].map((dataset) => datasetJson(dataset, dataset.fields.filter(visible))).filter(({ fields }) => fields.length > 0);
        return ok({
          policy: current.version,
          datasets,
          purposes: [...current.purposes.values()].map(({ code, title, description }) => ({ code, title: { en: title.en, zh: title.zh }, description: { en: description.en, zh: description.zh } })),
        });
      },
    }),
    route({
      method: 'GET', path: '/v1/policy', operationId: 'readPolicy', tag: 'Catalogue', access: 'public',
      summary: 'Version of the policy in force',
      responses: { 200: { description: 'SHA-256 of the policy\'s content.', schema: object({ policy: named('PolicyVersion'), institution_classes: list(object({ code: text(64), title: named('Title') }), 100) }) } },
      errors: [],
      handler: async () => ok({ policy: policy().version, institution_classes: [...policy().institutionClasses.values()].map(({ code, title }) => ({ code, title: { en: title.en, zh: title.zh } })) }),
    }),
  ];
}

function visibleFields(caller: Caller, policy: ReturnType<Services['policy']>): (field: Field) => boolean {
  if (caller.kind !== 'institution') return () => true;
  const { institutionClass } = caller;
  if (institutionClass === undefined) throw new VeilgateError('PARTY_NOT_PERMITTED', 'The institution has no class: ask the platform.');
  const purposes = [...policy.purposes.values()];
  return ({ ref }) => purposes.some(({ code }) => policy.decide({ purpose: code, institutionClass, asked: uses.map((use) => ({ field: ref, use })), consent: null, facts: new Map() }).fields.some(({ reason }) => reason !== 'not_available'));
}

function datasetJson(dataset: Dataset, fields: readonly Field[]): JsonObject & { readonly fields: readonly Json[] } {
  return {
    id: dataset.id, title: { ...dataset.title }, department: dataset.department, rows: dataset.cardinality.kind,
    fields: fields.map(({ ref, title, type, unit, classification, codes }) => ({
      field: ref, title: { ...title }, type, classification: { ...classification }, ...(unit === undefined ? {} : { unit }), ...(codes === undefined ? {} : { codes: { ...codes } }),
    })),
  };
}
