import type { CellEdit } from '../../policy/edit/cell-edit.ts';
import type { FactEdit, PurposeEdit } from '../../policy/edit/purpose-edit.ts';
import type { Offer } from '../../policy/edit/offers.ts';
import { uses, type ConsentTier } from '../../policy/rule.ts';
import type { OpeningText } from '../../policy/text.ts';
import type { FieldRef, Use } from '../../vocabulary.ts';
import { ok, route, trustedJson, type JsonObject, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { object } from '../schema/words.ts';
import { classesOf, readCell, readMatrix, type CellView, type FieldView, type MatrixView, type ReadyVersions } from '../use-cases/policy-cells.ts';
import { judgeEdits, type JudgedEdits } from '../use-cases/policy-edits.ts';
import { samplesOf } from '../use-cases/policy-samples.ts';
import { cellForm, editsBody, judgedForm, matrixForm, samplesBody, samplesForm } from './policy-cell-forms.ts';
import { versionNumber } from './policy-forms.ts';
import type { Services } from './services.ts';

const ofVersion = object({ version: versionNumber });
type EditsBody = { readonly edits: readonly CellEdit[]; readonly purposes?: readonly PurposeEdit[]; readonly facts?: readonly FactEdit[]; readonly adjust_tests?: boolean };
type OfVersion = { readonly params: { readonly version: number } };

/** The policy as a grid of cells, for people: what each says, what it may be set to, what a change would do. */
export function policyCellRoutes({ policies: desk, catalogue }: Pick<Services, 'policies' | 'catalogue'>, versions: ReadyVersions): readonly Route[] {
  return [
    route<OfVersion & { query: { readonly institution_class?: string; readonly use?: Use; readonly consent?: ConsentTier } }>({
      method: 'GET', path: '/v1/policies/{version}/matrix', operationId: 'readPolicyMatrix', tag: 'Policies', access: 'party', scopes: ['compliance', 'audit'],
      summary: 'All fields × purposes for one class of institutions, as the version decides',
      description: 'What each cell says is a position in `outcomes`. A conditional outcome is shown by the most it may open. Emergency withholds stand beside the version and are not in it.',
      request: { params: ofVersion, query: object({ institution_class: named('InstitutionClass'), use: named('Use'), consent: named('Ceiling') },
        { optional: ['institution_class', 'use', 'consent'] }) },
      responses: { 200: { description: 'The grid.', schema: matrixForm } },
      errors: ['POLICY_IN_FOLDER', 'POLICY_VERSION_NOT_FOUND', 'POLICY_BROKEN', 'REQUEST_INVALID'],
      handler: async ({ caller, params, query }) => ok(matrixJson(await desk.inTurn(caller.party, () => readMatrix(desk, versions, params.version, {
        institutionClass: query.institution_class, use: query.use ?? 'read', consent: query.consent ?? 'original',
      })))),
    }),
    route<OfVersion & { query: { readonly field: FieldRef; readonly purpose: string } }>({
      method: 'GET', path: '/v1/policies/{version}/cell', operationId: 'readPolicyCell', tag: 'Policies', access: 'party', scopes: ['compliance', 'audit'],
      summary: 'One field for one purpose: what every class gets, by which rules, and what may be set',
      request: { params: ofVersion, query: object({ field: named('FieldRef'), purpose: named('PurposeCode') }) },
      responses: { 200: { description: 'The cell.', schema: cellForm } },
      errors: ['POLICY_IN_FOLDER', 'POLICY_VERSION_NOT_FOUND', 'POLICY_BROKEN', 'REQUEST_INVALID'],
      handler: async ({ caller, params, query }) => ok(cellJson(await desk.inTurn(caller.party, () => readCell(desk, versions, params.version, query.field, query.purpose)))),
    }),
    route<OfVersion & { body: EditsBody }>({
      method: 'POST', path: '/v1/policies/{version}/edits', operationId: 'judgePolicyEdits', tag: 'Policies', access: 'party', scopes: ['compliance'],
      summary: 'What edits of cells, purposes and facts would make of a version: differences, tests, files to propose',
      description: 'Nothing is kept. Purposes and facts are edited first; then the cells named come to say what the edits say and no other cell changes. Expectations of the tests about edited cells and fields follow when `adjust_tests` says so; the promises in `tests/promises.yaml` never do.',
      request: { params: ofVersion, body: { kind: 'json', maxBytes: 1_048_576, schema: editsBody } },
      responses: { 200: { description: 'Differences, tests, files.', schema: judgedForm } },
      errors: ['POLICY_IN_FOLDER', 'POLICY_VERSION_NOT_FOUND', 'POLICY_BROKEN', 'REQUEST_INVALID'],
      handler: async ({ caller, params, body }) => ok(judgedJson(await desk.inTurn(caller.party, () =>
        judgeEdits(desk, versions, params.version, { cells: body.edits, purposes: body.purposes ?? [], facts: body.facts ?? [] }, body.adjust_tests ?? false)))),
    }),
    route<{ body: { readonly field: FieldRef; readonly openings: readonly (OpeningText | null)[] } }>({
      method: 'POST', path: '/v1/policy-samples', operationId: 'samplePolicyOpenings', tag: 'Policies', access: 'party', scopes: ['compliance', 'audit'],
      summary: 'How made-up values of a field would look',
      description: 'The values are made up from the catalogue: no record is read. Tokens are made with a secret of the moment.',
      request: { body: { kind: 'json', schema: samplesBody } },
      responses: { 200: { description: 'Values, and what each opening shows of them.', schema: samplesForm } },
      errors: ['REQUEST_INVALID'],
      handler: async ({ body }) => {
        const { values, shown } = samplesOf(catalogue, body.field, body.openings);
        return ok({ values, shown: trustedJson(shown) });
      },
    }),
  ];
}

function matrixJson({ ready: { version, policy }, institutionClass, use, consent, purposes, fields, outcomes, cells, described }: MatrixView): JsonObject {
  const titles = new Map(described.map(({ field, dataset }) => [field.ref, { field, dataset }]));
  return {
    version: version.number, digest: version.digest, institution_class: institutionClass, use, consent, classes: trustedJson(classesOf(policy)),
    purposes: purposes.map((code) => ({ code, title: trustedJson(policy.purposes.get(code)?.title), uses: uses.filter((each) => policy.purposes.get(code)?.uses.has(each)) })),
    datasets: trustedJson([...new Map(described.map(({ dataset: { id, title } }) => [id, { dataset: id, title }])).values()]),
    fields: fields.flatMap((ref) => {
      const found = titles.get(ref);
      return found === undefined ? [] : [{ field: ref, title: found.field.title, type: found.field.type, level: found.field.classification.level, kind: found.field.classification.kind }];
    }),
    outcomes: trustedJson(outcomes), cells,
  };
}

function cellJson({ ready: { version }, field, dataset, purpose, inMinimum, uses: allowed, cells, rules, offers }: FieldView): JsonObject {
  const { ref, title, type, classification, unit, codes, min, max, maxLength, scale } = field;
  return {
    version: version.number, digest: version.digest, purpose, in_minimum: inMinimum, uses: allowed,
    field: { field: ref, title, dataset: dataset.id, dataset_title: dataset.title, type, level: classification.level, kind: classification.kind, unit, codes, min, max, max_length: maxLength, scale },
    cells: cells.map(tiersJson), rules: trustedJson(rules),
    offers: Object.fromEntries(Object.entries(offers).map(([use, list]) => [use, list.map(({ opening, tiers }: Offer) => ({ opening: trustedJson(opening), consent: tiers }))])),
  };
}

function tiersJson({ use, institutionClass, tiers, rules }: CellView): JsonObject {
  return { use, institution_class: institutionClass, desensitised: trustedJson(tiers.desensitised), original: trustedJson(tiers.original), rules };
}

function judgedJson({ ready: { version }, changes, diff, tests, stale, adjusted }: JudgedEdits): JsonObject {
  return {
    version: version.number, digest: version.digest, changes, summary: diff.summary, combinations: diff.combinations, combinations_changed: diff.combinationsChanged,
    differences: diff.changes.map(({ risk, words, use, fields, purposes, institutionClasses, consent }) => ({ risk, words, use, fields, purposes, institution_classes: institutionClasses, consent })),
    settings: diff.settings.map(({ risk, words, path }) => ({ risk, words, path })),
    tests: {
      run: tests.tests, failing: tests.failures.length, adjusted,
      stale: stale.map(({ file, test, purpose, institutionClass, field, use, expected, got, kind }) => ({ file, test, purpose, institution_class: institutionClass, field, use, expected, got, kind })),
    },
  };
}
