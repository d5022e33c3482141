import { appendRecords } from '../../audit/append.ts';
import { recordHead } from '../../audit/entry.ts';
import { VeilgateError } from '../../errors.ts';
import type { CompiledPolicy } from '../../policy/policy.ts';
import { columnStatus } from '../../scoring/feature/columns.ts';
import { frameMediaType, framesBytesMax, framesMax } from '../../scoring/feature/frame.ts';
import { scoreKeysInUse, type KnownScoreKey, type ScoreKey } from '../../scoring/feature/keys.ts';
import { featuresMax, featuresOfDataset } from '../../scoring/feature/load.ts';
import { assignPositions, blockMax, positionsMax, slotsPerBlock } from '../../scoring/feature/positions.ts';
import { removeSubject } from '../../scoring/feature/removal.ts';
import type { Feature, FeatureId } from '../../scoring/protocol.ts';
import { ownedDataset } from '../../source/ingest.ts';
import { isUscc } from '../../uscc.ts';
import type { Caller, DatasetId, FieldDecision, SubjectId } from '../../vocabulary.ts';
import { content, ok, route, type Json, type Route, type StreamBody } from '../route.ts';
import { named } from '../schema/compile.ts';
import { integer, list, nullable, object, oneOf, text } from '../schema/words.ts';
import { storeBlocks, type BlockStore } from '../use-cases/feature-blocks.ts';
import { refreshScoreKey, rekeyColumns, rekeyMax, type Rekeyer } from '../use-cases/feature-rekey.ts';
import type { Services } from './services.ts';

/** What features need beyond what every resource has. */
export type FeatureServices = {
  /** As the policy pack declares them. */
  readonly declared: () => ReadonlyMap<FeatureId, Feature>;
  readonly check: BlockStore['check'];
  readonly rekeyer: Rekeyer;
  /** The custodian's statement of its key. Errors: CUSTODIAN_UNAVAILABLE. */
  readonly custodianKey: () => Promise<ScoreKey>;
};

type Needs = Pick<Services, 'database' | 'clock' | 'catalogue' | 'policy' | 'identity' | 'features'>;

const statusMax = 1000;
const count = integer(0, Number.MAX_SAFE_INTEGER);
const keyState = oneOf(['pending', 'active'], 'Pending: encrypt under it already; scores are computed under it once every column is there.');
const datasetParams = { params: object({ dataset: named('DatasetId') }) };
const featureId = { type: 'string', maxLength: 83, pattern: '^[a-z][a-z0-9_]{0,40}/[a-z][a-z0-9_]{0,40}$', description: 'A feature as `dataset/name`.' } as const;

/** What departments encrypt for sealed scoring, where enterprises stand in it, and under which keys. */
export function featureRoutes(needs: Needs): readonly Route[] {
  return [...catalogueOfFeatures(needs), ...keys(needs), ...blocks(needs), ...changes(needs)];
}

function catalogueOfFeatures({ features, policy }: Needs): readonly Route[] {
  return [
    route<{ query: { readonly dataset?: string } }>({
      method: 'GET', path: '/v1/features', operationId: 'readFeatures', tag: 'Features', access: 'party', scopes: ['query', 'records', 'compliance', 'audit'],
      summary: 'Features that models are made of',
      description: 'How each field becomes an integer. Institutions see the features whose field some rule opens to their class for scoring.',
      request: { query: object({ dataset: named('DatasetId') }, { optional: ['dataset'] }) },
      responses: { 200: { description: 'The features, by dataset.', schema: object({
        features: list(object({
          feature: featureId, field: named('FieldRef'), title: named('Title'), encoding: { type: 'object' }, missing: { type: ['integer', 'string'] }, low: { type: 'integer' }, high: { type: 'integer' }, declaration: named('Digest'),
        }), featuresMax),
      }) } },
      errors: [],
      examples: { cli: 'veilgate domain features financials' },
      handler: async ({ caller, query }) => {
        const shown = [...features.declared().values()].filter((feature) => (query.dataset === undefined || feature.id.startsWith(`${query.dataset}/`)) && isVisible(feature, caller, policy()));
        return ok({ features: shown.map(featureJson) });
      },
    }),
  ];
}

function isVisible({ source }: Feature, caller: Caller, policy: CompiledPolicy): boolean {
  if (caller.kind !== 'institution') return true;
  const { institutionClass } = caller;
  if (institutionClass === undefined) throw new VeilgateError('PARTY_NOT_PERMITTED', 'The institution has no class: ask the platform.');
  const opens = ({ disposition, reason }: FieldDecision) => disposition === 'score' || reason === 'condition_not_met' || reason === 'condition_not_evaluable';
  return [...policy.purposes.values()].some(({ code }) =>
    policy.decide({ purpose: code, institutionClass, asked: [{ field: source, use: 'score' }], consent: new Map([[source, 'original']]), facts: new Map() }).fields.some(opens));
}

function featureJson({ id, source, title, encoding, missing, low, high, declaration }: Feature): Json {
  return { feature: id, field: source, title: { ...title }, encoding: { ...encoding }, missing, low, high, declaration };
}

function keys({ database, clock, features }: Needs): readonly Route[] {
  return [
    route({
      method: 'GET', path: '/v1/score-keys', operationId: 'readScoreKeys', tag: 'Features', access: 'party', scopes: ['query', 'records', 'compliance', 'audit'],
      summary: 'The custodian\'s keys in use',
      description: 'Compare the thumbprint with the one the custodian publishes by a way of its own before you encrypt under a key.',
      responses: { 200: { description: 'At most two.', schema: object({ keys: list(object({ key: text(128), custodian: text(256), parameters: text(64), state: keyState, thumbprint: named('Digest') }), 2) }) } },
      errors: [],
      examples: { cli: 'veilgate domain keys' },
      handler: async () => ok({ keys: (await scoreKeysInUse(database)).map(({ keyId, custodian, parameters, state, thumbprint }) => ({ key: keyId, custodian, parameters, state, thumbprint })) }),
    }),
    route<{ params: { readonly key: string } }>({
      method: 'GET', path: '/v1/score-keys/{key}', operationId: 'readScoreKey', tag: 'Features', access: 'party', scopes: ['query', 'records', 'compliance', 'audit'],
      summary: 'A public key of the custodian',
      request: { params: object({ key: text(128) }) },
      responses: { 200: { description: 'The serialised key; its SHA-256 is the thumbprint.', mediaType: 'application/octet-stream' } },
      errors: ['REQUEST_NOT_FOUND'],
      handler: async ({ params }) => {
        const key = (await scoreKeysInUse(database)).find(({ keyId }) => keyId === params.key);
        if (key === undefined) throw new VeilgateError('REQUEST_NOT_FOUND', 'There is no such key in use.');
        return content('application/octet-stream', key.publicKey);
      },
    }),
    route({
      method: 'POST', path: '/v1/score-keys', operationId: 'refreshScoreKeys', tag: 'Features', access: 'party', scopes: ['compliance'],
      summary: 'Ask the custodian for its key',
      description: 'The first key is active at once. A new one is pending until every column is encrypted under it; then it takes the old one\'s place, and the old columns are removed.',
      responses: { 200: { description: 'How the key stands now.', schema: object({ state: oneOf(['pending', 'active', 'retired']) }) } },
      errors: ['CUSTODIAN_UNAVAILABLE', 'CUSTODIAN_REFUSED', 'FEATURE_KEY_UNKNOWN'],
      handler: async () => ok({ state: await refreshScoreKey(database, clock, features.custodianKey) }),
    }),
  ];
}

function blocks({ database, clock, catalogue, identity, features }: Needs): readonly Route[] {
  const store = (): BlockStore => ({ database, clock, bodies: identity.bodies, features: features.declared, check: features.check });
  return [
    route<{ body: { readonly subjects: readonly string[] } }>({
      method: 'POST', path: '/v1/feature-positions', operationId: 'assignPositions', tag: 'Features', access: 'party', scopes: ['records'],
      summary: 'Where enterprises stand in every column',
      description: `A place is block × ${slotsPerBlock} + slot. Who has none gets the next free one; a place never comes to mean another enterprise.`,
      request: { body: { kind: 'json', schema: object({ subjects: list(named('SubjectId'), positionsMax) }) } },
      responses: { 200: { description: 'Places in the order asked.', schema: object({ places: list(count, positionsMax) }) } },
      errors: ['SOURCE_NOT_OWNER', 'STORE_UNAVAILABLE'],
      handler: async ({ caller, body }) => {
        requireSupplier(catalogue, features.declared(), caller);
        const wrong = body.subjects.findIndex((subject) => !isUscc(subject));
        if (wrong >= 0) throw new VeilgateError('REQUEST_INVALID', 'A code is not a unified social credit code: its check digit is wrong.', { part: 'body', pointer: `/subjects/${wrong}`, rule: 'check_digit' });
        const subjects = body.subjects as readonly SubjectId[];
        const found = await database.transaction('assign positions', (tx) => assignPositions(tx, subjects, clock.nowMs()));
        return ok({ places: subjects.map((subject) => placeOf(found.get(subject))) });
      },
    }),
    route<{ params: { readonly dataset: string }; body: StreamBody }>({
      method: 'POST', path: '/v1/datasets/{dataset}/feature-blocks', operationId: 'loadFeatureBlocks', tag: 'Features', access: 'party', scopes: ['records'],
      summary: 'Load encrypted columns',
      description: `Up to ${framesMax} signed blocks under one key in one body (docs/formats/feature-block.md): all are stored, or none. Sending them again changes nothing.`,
      request: { ...datasetParams, body: { kind: 'stream', mediaTypes: [frameMediaType], maxBytes: framesBytesMax } },
      responses: { 200: { description: 'What was stored; `rotated`: with it the change of the custodian\'s key came to its end.', schema: object({ stored: count, same: count, rotated: { type: 'boolean' } }) } },
      errors: [
        'SOURCE_DATASET_UNKNOWN', 'SOURCE_NOT_OWNER', 'FEATURE_UNKNOWN', 'FEATURE_DECLARATION_CHANGED', 'FEATURE_KEY_UNKNOWN', 'FEATURE_BLOCK_INVALID', 'FEATURE_BLOCK_STALE', 'FEATURE_SLOTS_UNASSIGNED',
        'HE_CIPHERTEXT_REFUSED', 'AUDIT_UNAVAILABLE', 'STORE_UNAVAILABLE', 'TOKEN_KEY_UNKNOWN', 'TOKEN_SIGNATURE_INVALID',
      ],
      examples: { cli: 'veilgate domain encrypt financials features.csv --key score-key.bin' },
      handler: async ({ caller, params, body }) => ok(await storeBlocks(store(), caller.party, ownedDataset(catalogue, params.dataset, caller.party).id, body)),
    }),
    route<{ params: { readonly dataset: string }; query: { readonly key?: string; readonly from?: number; readonly to?: number } }>({
      method: 'GET', path: '/v1/datasets/{dataset}/feature-blocks', operationId: 'readFeatureBlocks', tag: 'Features', access: 'party', scopes: ['records'],
      summary: 'Which columns are stored',
      description: 'By block and feature. `stale`: still holds values of an enterprise that was taken out, unreachable; refresh it.',
      request: { ...datasetParams, query: object({ key: text(128, 'Key; the active one when absent.'), from: integer(0, blockMax, 'First block.'), to: integer(0, blockMax, 'Last block.') }, { optional: ['key', 'from', 'to'] }) },
      responses: { 200: { description: 'Up to 1,000; `more`: ask on from the last block.', schema: object({
        blocks: list(object({ feature: featureId, block: count, revision: count, digest: named('Digest'), declaration: named('Digest'), filled: count, stale: { type: 'boolean' }, rekeyed: { type: 'boolean' } }), statusMax),
        more: { type: 'boolean' },
        key: nullable(text(128)),
      }) } },
      errors: ['SOURCE_DATASET_UNKNOWN', 'SOURCE_NOT_OWNER'],
      examples: { cli: 'veilgate domain status financials' },
      handler: async ({ caller, params, query }) => {
        const dataset = ownedDataset(catalogue, params.dataset, caller.party);
        const inUse = await scoreKeysInUse(database);
        const key: KnownScoreKey | undefined = inUse.find(({ keyId, state }) => (query.key === undefined ? state === 'active' : keyId === query.key));
        const found = key === undefined ? [] : await columnStatus(database, {
          key: key.keyId, features: featuresOfDataset(features.declared(), dataset.id).map(({ id }) => id), blocks: [query.from ?? 0, query.to ?? blockMax], limit: statusMax + 1,
        });
        // whole blocks only, unless one alone is too long: then the caller asks for it by itself
        return ok({ blocks: found.slice(0, statusMax).map((column) => ({ ...column })), more: found.length > statusMax, key: key?.keyId ?? null });
      },
    }),
  ];
}

function placeOf(position: { readonly block: number; readonly slot: number } | undefined): number {
  if (position === undefined) throw new VeilgateError('INTERNAL', 'An enterprise got no place.');
  return position.block * slotsPerBlock + position.slot;
}

/** Places are for who encrypts: any other department would only fill them up. */
function requireSupplier(catalogue: Services['catalogue'], features: ReadonlyMap<FeatureId, Feature>, caller: Caller): void {
  const supplies = [...features.keys()].some((id) => catalogue.datasets.get(id.slice(0, id.indexOf('/')) as DatasetId)?.department === caller.party);
  if (!supplies) throw new VeilgateError('SOURCE_NOT_OWNER', 'You supply no dataset with features: there is nothing to place enterprises in.');
}

function changes({ database, clock, catalogue, features }: Needs): readonly Route[] {
  const idsOf = (dataset: DatasetId) => featuresOfDataset(features.declared(), dataset).map(({ id }) => id);
  return [
    route<{ params: { readonly dataset: string }; body: { readonly subject: SubjectId } }>({
      method: 'POST', path: '/v1/datasets/{dataset}/feature-removals', operationId: 'removeFromFeatures', tag: 'Features', access: 'party', scopes: ['records'],
      summary: 'Take an enterprise out of every column',
      description: 'From the answer on no score of it is computed, in any department\'s columns. Its values are in the ciphertexts until you refresh the blocks; its place is given to nobody.',
      request: { ...datasetParams, body: { kind: 'json', schema: object({ subject: named('SubjectId') }) } },
      responses: { 200: { description: 'Where it stood, and your features whose block must be encrypted anew.', schema: object({ block: count, columns: count, features: list(featureId, featuresMax) }) } },
      errors: ['SOURCE_DATASET_UNKNOWN', 'SOURCE_NOT_OWNER', 'REQUEST_NOT_FOUND', 'AUDIT_UNAVAILABLE', 'STORE_UNAVAILABLE'],
      examples: { cli: 'veilgate domain remove financials 91350211M000100Y43' },
      handler: async ({ caller, params, body }) => {
        const dataset = ownedDataset(catalogue, params.dataset, caller.party).id;
        const own = idsOf(dataset);
        const removal = await database.transaction('remove from features', async (tx) => {
          const found = await removeSubject(tx, body.subject, own, clock.nowMs());
          if (found !== undefined) {
            await appendRecords(tx, [{ ...recordHead('features.removed', clock.nowMs(), caller.party), department: caller.party, dataset, subject: body.subject, columns: found.columns.length }]);
          }
          return found;
        });
        if (removal === undefined) throw new VeilgateError('REQUEST_NOT_FOUND', 'The enterprise has no value in these columns.');
        const mine = new Set(removal.columns.filter(({ feature }) => own.includes(feature)).map(({ feature }) => feature));
        return ok({ block: removal.position.block, columns: removal.columns.length, features: [...mine].sort() });
      },
    }),
    route<{ params: { readonly dataset: string }; body: { readonly limit?: number } }>({
      method: 'POST', path: '/v1/datasets/{dataset}/feature-rotation', operationId: 'rekeyFeatures', tag: 'Features', access: 'party', scopes: ['records'],
      summary: 'Take columns to the custodian\'s next key',
      description: 'Without the values: the gateway masks each column, the custodian encrypts the masked values under its new key, the gateway takes the mask off. Call until `waiting` is 0.',
      request: { ...datasetParams, body: { kind: 'json', schema: object({ limit: integer(1, rekeyMax) }, { optional: ['limit'] }) } },
      responses: { 200: { description: 'What was done, and what waits.', schema: object({ rekeyed: count, waiting: count, waiting_of_all: count, rotated: { type: 'boolean' } }) } },
      errors: ['SOURCE_DATASET_UNKNOWN', 'SOURCE_NOT_OWNER', 'FEATURE_KEY_UNKNOWN', 'FEATURE_BLOCK_MISSING', 'CUSTODIAN_UNAVAILABLE', 'CUSTODIAN_REFUSED', 'HE_CIPHERTEXT_REFUSED', 'AUDIT_UNAVAILABLE', 'STORE_UNAVAILABLE'],
      examples: { cli: 'veilgate domain rotate financials' },
      handler: async ({ caller, params, body }) => {
        const dataset = ownedDataset(catalogue, params.dataset, caller.party).id;
        const { rekeyed, waiting, waitingOfAll, rotated } = await rekeyColumns({ database, clock, rekeyer: features.rekeyer }, caller.party, dataset, idsOf(dataset), body.limit ?? rekeyMax);
        return ok({ rekeyed, waiting, waiting_of_all: waitingOfAll, rotated });
      },
    }),
  ];
}
