import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { appendRecords } from '../../audit/append.ts';
import { recordHead } from '../../audit/entry.ts';
import { correctRecord } from '../../source/correct.ts';
import { errorLimitMax, loadRecords, ownedDataset } from '../../source/ingest.ts';
import { readReports } from '../../source/quality.ts';
import type { Value } from '../../vocabulary.ts';
import { ok, route, trustedJson, type JsonObject, type Route, type StreamBody } from '../route.ts';
import { named } from '../schema/compile.ts';
import { integer, map, object, oneOf } from '../schema/words.ts';
import type { Services } from './services.ts';

const reportSchema = { type: 'object', description: 'Counts, row numbers and reasons, never values (docs/formats/records.md).' };

/** Records in, quality reports out: for the departments that supply them (R13). */
export function datasetRoutes({ database, clock, catalogue }: Pick<Services, 'database' | 'clock' | 'catalogue'>): readonly Route[] {
  return [
    route<{ params: { readonly dataset: string }; query: { readonly error_limit?: number }; body: StreamBody }>({
      method: 'POST', path: '/v1/datasets/{dataset}/records', operationId: 'loadRecords', tag: 'Records', access: 'party', scopes: ['records'],
      summary: 'Load a file of records',
      description: 'Streams a file of any size. All of it is loaded, or nothing, or all but the rejected rows up to `error_limit`. Rows with the key of a stored row replace it, so loading a file again changes nothing.',
      request: {
        params: object({ dataset: named('DatasetId') }),
        query: object({ error_limit: integer(0, errorLimitMax, 'Rows that may be rejected; 0: all or nothing.') }, { optional: ['error_limit'] }),
        body: { kind: 'stream', mediaTypes: ['text/csv', 'application/x-ndjson'] },
      },
      responses: { 200: { description: 'The quality report.', schema: reportSchema } },
      errors: ['SOURCE_DATASET_UNKNOWN', 'SOURCE_NOT_OWNER', 'SOURCE_FILE_MALFORMED', 'SOURCE_ROWS_REJECTED', 'AUDIT_UNAVAILABLE'],
      examples: { cli: 'veilgate records load tax tax-2026-09.csv' },
      handler: async ({ caller, params, query, body, mediaType }) => {
        const file = createHash('sha256');
        const stream = Readable.from(hashed(body, file), { objectMode: false });
        const report = await loadRecords(database, {
          catalogue, dataset: params.dataset, supplier: caller.party, format: mediaType === 'text/csv' ? 'csv' : 'ndjson', stream, errorLimit: query.error_limit ?? 0, clock,
          async alsoStore(tx, { dataset, rows }) {
            await appendRecords(tx, [{
              ...recordHead('records.loaded', clock.nowMs(), caller.party),
              department: caller.party, dataset, rowsAccepted: rows.read - rows.rejected, rowsRejected: rows.rejected, file: file.digest('hex'),
            }]);
          },
        });
        return ok(trustedJson(report) as JsonObject);
      },
    }),
    route<{ params: { readonly dataset: string }; body: { readonly record: Readonly<Record<string, Value>> } }>({
      method: 'POST', path: '/v1/datasets/{dataset}/corrections', operationId: 'correctRecord', tag: 'Records', access: 'party', scopes: ['records'], idempotent: true,
      summary: 'Replace one record of an enterprise',
      description: 'By the rules of a load: the stored row with the same key is replaced as a whole, and a field that is left out has no value from then on. The log says whose record was corrected, and no value.',
      request: {
        params: object({ dataset: named('DatasetId') }),
        body: { kind: 'json', schema: object({ record: map({ type: 'string', pattern: '^[a-z][a-z0-9_]{0,40}$', maxLength: 41 }, named('Value'), 501, '`subject` and fields by name, as a line of an NDJSON file.') }) },
      },
      responses: { 200: { description: 'What it did to the stored rows.', schema: object({ dataset: named('DatasetId'), subject: named('SubjectId'), outcome: oneOf(['new', 'changed', 'unchanged']) }) } },
      errors: ['SOURCE_DATASET_UNKNOWN', 'SOURCE_NOT_OWNER', 'SOURCE_ROWS_REJECTED', 'AUDIT_UNAVAILABLE'],
      examples: { cli: 'veilgate records correct tax record.json' },
      handler: ({ caller, params, body, once }) => once(async (tx) => {
        const nowMs = clock.nowMs();
        const corrected = await correctRecord(tx, catalogue, { dataset: params.dataset, supplier: caller.party, record: body.record }, nowMs);
        await appendRecords(tx, [{ ...recordHead('record.corrected', nowMs, caller.party), department: caller.party, ...corrected }]);
        return { reply: ok(corrected) };
      }),
    }),
    route<{ params: { readonly dataset: string } }>({
      method: 'GET', path: '/v1/datasets/{dataset}/quality', operationId: 'readQuality', tag: 'Records', access: 'party', scopes: ['records'],
      summary: 'The latest quality report of a dataset you supply',
      request: { params: object({ dataset: named('DatasetId') }) },
      responses: { 200: { description: 'The report.', schema: object({ report: { anyOf: [reportSchema, { type: 'null' }] } }) } },
      errors: ['SOURCE_DATASET_UNKNOWN', 'SOURCE_NOT_OWNER'],
      examples: { cli: 'veilgate records quality tax' },
      handler: async ({ caller, params }) => {
        const dataset = ownedDataset(catalogue, params.dataset, caller.party);
        const [report] = await readReports(database, dataset.id, 1);
        return ok({ report: report === undefined ? null : trustedJson(report) });
      },
    }),
  ];
}

/** The same bytes, hashed on their way at the reader's pace. */
async function* hashed(body: StreamBody, file: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of body as AsyncIterable<Buffer>) {
    file.update(chunk);
    yield chunk;
  }
}
