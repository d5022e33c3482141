import { createHash } from 'node:crypto';
import { canonicalJson } from '../../canonical.ts';
import { epochSeconds, isoTime } from '../../clock.ts';
import { csvLine } from '../../csv.ts';
import { VeilgateError } from '../../errors.ts';
import type { Caller } from '../../vocabulary.ts';
import { createPartySlots, type PartySlots } from '../party-slots.ts';
import { route, type JsonObject, type Reply, type Route, type StreamReply } from '../route.ts';
import { named } from '../schema/compile.ts';
import { object, oneOf } from '../schema/words.ts';
import { beginExport, isHistoryPart, type ExportItem, type HistoryPart, type OwnExport } from '../use-cases/own-export.ts';
import { requestJson } from './grant-requests.ts';
import { grantJson } from './grants.ts';
import { entryJson } from './log.ts';
import { objectionJson } from './objections.ts';
import type { Services } from './services.ts';

type Query = { readonly format?: 'ndjson' | 'csv'; readonly part?: string };
type ExportServices = Pick<Services, 'objections' | 'ownExport' | 'signer' | 'clock' | 'gatewayUrl' | 'desk'>;

/** Characters that are gathered before they are sent. */
const chunkLength = 65_536;
/** Longest table: it is made whole, because its manifest goes ahead of it in a header. */
const csvLengthMax = 33_554_432;

/** An enterprise takes its data along (R12). */
export function ownExportRoutes(services: ExportServices): readonly Route[] {
  const tables = createPartySlots(1);
  return [
    route<{ query: Query }>({
      method: 'GET', path: '/v1/export', operationId: 'exportOwn', tag: 'Grants', access: 'party', scopes: ['grants'],
      summary: 'Your own records and history, to keep and to take elsewhere, signed by the platform',
      description: `By default everything, one JSON object a line; the last line is a manifest with digest and signature. With \`format=csv\` one \`part\` as a table, its signed manifest
in the header \`Veilgate-Manifest\`. Personal data of people behind the enterprise is masked. The export is an entry of the log (\`export.own\`). See docs/formats/export.md.`,
      request: {
        query: object({
          format: oneOf(['ndjson', 'csv']), part: { ...named('DatasetId'), description: 'A dataset, or `grants`, `grant_requests`, `objections`, `accesses`; needed for CSV.' },
        }, { optional: ['format', 'part'] }),
      },
      responses: { 200: { description: 'NDJSON, or CSV: one table at a time.' } },
      errors: ['PARTY_NOT_PERMITTED', 'SOURCE_DATASET_UNKNOWN', 'AUDIT_UNAVAILABLE'],
      examples: { cli: 'veilgate access export --out export.ndjson' },
      handler: async ({ caller, query }) => (query.format === 'csv' ? csvReply(services, tables, caller, query.part) : ndjsonReply(services, caller, query.part)),
    }),
  ];
}

async function ndjsonReply(services: ExportServices, caller: Caller, part: string | undefined): Promise<Reply> {
  const taken = await beginExport(services.ownExport, caller, 'ndjson', part);
  return { status: 200, mediaType: 'application/x-ndjson', stream: ndjson(services, taken, part), headers: attachment('ndjson', part) };
}

async function* ndjson(services: ExportServices, taken: OwnExport, part: string | undefined): AsyncGenerator<string> {
  const digest = createHash('sha256');
  const counts: Record<string, number> = {};
  let lines = 0;
  let chunk = '';
  const add = (line: JsonObject) => {
    const text = `${JSON.stringify(line)}\n`;
    digest.update(text);
    chunk += text;
    lines += 1;
  };
  add(headerLine(services, taken, part));
  for await (const item of taken.items) {
    add(itemLine(services, item));
    counts[item.part] = (counts[item.part] ?? 0) + 1;
    if (chunk.length < chunkLength) continue;
    yield chunk;
    chunk = '';
  }
  const facts = { form: 'ndjson', scope: part ?? null, lines, counts, sha256: digest.digest('hex') };
  yield `${chunk}${JSON.stringify({ part: 'manifest', ...facts, jws: await manifest(services, taken, facts) })}\n`;
}

/** What the export is and how each field comes, before the first value. */
function headerLine({ ownExport, gatewayUrl }: ExportServices, { id, subject, atMs }: OwnExport, part: string | undefined): JsonObject {
  const { digest, decision } = ownExport.selfAccess;
  const wanted = decision.fields.filter(({ field }) => part === undefined || field.startsWith(`${part}.`));
  return {
    part: 'header', format: 'veilgate-export/1', export: id, subject, at: isoTime(atMs), gateway: gatewayUrl, policy: digest,
    fields: wanted.map(({ field, disposition }) => {
      const known = ownExport.catalogue.fields.get(field);
      return { field, title: known?.title ?? null, classification: known?.classification ?? null, unit: known?.unit ?? null, disclosed: disposition };
    }),
  };
}

/** Signed: what was exported, the digest of every byte before, and where the log says so. */
function manifest({ signer, clock, gatewayUrl, desk }: ExportServices, { id, subject, atMs, entry }: OwnExport, facts: JsonObject): Promise<string> {
  const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
  return signer.sign('export+jwt', {
    iss: gatewayUrl, sub: subject, iat: epochSeconds(clock.nowMs()), export: id, at: isoTime(atMs), ...facts,
    log: { origin: desk.logOrigin, index: entry.index, commitment: base64url(entry.commitment), salt: base64url(entry.salt) },
  });
}

/** @param tables a table stands in memory until it is sent */
async function csvReply(services: ExportServices, tables: PartySlots, caller: Caller, part: string | undefined): Promise<Reply> {
  if (part === undefined) throw new VeilgateError('REQUEST_INVALID', 'A table is of one part: name a dataset or a part of your history.', { part: 'query', pointer: '/part', rule: 'required' });
  const ended = tables.take(caller.party);
  try {
    return { ...await tableOf(services, caller, part), ended };
  } catch (error) {
    ended();
    throw error;
  }
}

async function tableOf(services: ExportServices, caller: Caller, part: string): Promise<StreamReply> {
  const taken = await beginExport(services.ownExport, caller, 'csv', part);
  const columns = isHistoryPart(part) ? historyColumns[part] : services.ownExport.selfAccess.decision.fields
    .filter(({ field, disposition }) => field.startsWith(`${part}.`) && disposition !== 'withhold').map(({ field }) => field.slice(part.length + 1));
  const digest = createHash('sha256');
  const chunks: string[] = [];
  let [length, rows, chunk] = [0, 0, csvLine(columns)];
  const cut = () => {
    digest.update(chunk);
    chunks.push(chunk);
    length += chunk.length;
    chunk = '';
  };
  for await (const item of taken.items) {
    const values: JsonObject = item.part === 'records' ? item.values : historyJson(services, item);
    chunk += csvLine(columns.map((column) => cellOf(values[column])));
    rows += 1;
    if (chunk.length >= chunkLength) cut();
    if (length > csvLengthMax) throw new VeilgateError('REQUEST_TOO_LARGE', 'This part is too long for one table: take it as NDJSON.');
  }
  cut();
  const facts = { form: 'csv', scope: part, rows, sha256: digest.digest('hex') };
  const headers = { ...attachment('csv', part), 'Veilgate-Manifest': await manifest(services, taken, facts) };
  return { status: 200, mediaType: 'text/csv; charset=utf-8', stream: inTurn(chunks), headers };
}

/** Each is let go once it is sent. */
async function* inTurn(chunks: string[]): AsyncGenerator<string> {
  for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) yield chunk;
}

/** What stands in a table of the history; what is deeper than a cell is canonical JSON. */
const historyColumns: Readonly<Record<HistoryPart, readonly string[]>> = {
  grants: [
    'id', 'state', 'institution', 'purpose', 'fields', 'data_from', 'data_to', 'valid_from', 'valid_until', 'kind', 'uses_max', 'uses_left', 'uses_total', 'frequency',
    'data_life_days', 'notice_digest', 'origin', 'created_at',
  ],
  grant_requests: ['id', 'state', 'institution', 'terms', 'message', 'created_at', 'expires_at', 'decided_at', 'reason', 'grant'],
  objections: ['id', 'about', 'dataset', 'field', 'row', 'fault', 'department', 'entry', 'state', 'submitted_at', 'accepted_at', 'due_on', 'steps'],
  accesses: ['index', 'at', 'kind', 'actor', 'institution', 'record', 'commitment', 'salt', 'disputed'],
};

function cellOf(value: JsonObject[string]): string | number | boolean | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'object' ? canonicalJson(value) : value;
}

function itemLine(services: ExportServices, item: ExportItem): JsonObject {
  if (item.part === 'records') return { part: item.part, dataset: item.dataset, values: item.values };
  return { part: item.part, [itemName[item.part]]: historyJson(services, item) };
}

const itemName: Readonly<Record<HistoryPart, string>> = { grants: 'grant', grant_requests: 'request', objections: 'objection', accesses: 'entry' };

function historyJson({ objections }: ExportServices, item: Exclude<ExportItem, { readonly part: 'records' }>): JsonObject {
  switch (item.part) {
    case 'grants': return grantJson(item.grant);
    case 'grant_requests': return requestJson(item.request, new Map());
    case 'objections': return objectionJson(objections, item.objection, item.steps);
    case 'accesses': return entryJson(item.entry);
    default: return item satisfies never;
  }
}

/** The file's name says nothing about the enterprise: it ends up in download folders. */
function attachment(ending: 'ndjson' | 'csv', part: string | undefined): Readonly<Record<string, string>> {
  return { 'Content-Disposition': `attachment; filename="veilgate-${part ?? 'export'}.${ending}"` };
}

