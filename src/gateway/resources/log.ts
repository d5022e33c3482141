import { VeilgateError } from '../../errors.ts';
import { parseTilePath } from '../../audit/tile.ts';
import type { EntryFilter, StoredEntry } from '../../audit/read.ts';
import { isReceipted, issueReceipt } from '../../audit/receipt.ts';
import type { Caller, GrantId, SubjectId, TimeMs } from '../../vocabulary.ts';
import { readGrant } from '../../consent/grants.ts';
import type { Sql } from '../../store/database.ts';
import { accessHistory, accessKinds, ownPart, type AccessOutcome, type HistoryEntry } from '../use-cases/access-history.ts';
import { content, ok, route, trustedJson, type JsonObject, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { integer, list, nullable, object, oneOf, text } from '../schema/words.ts';
import { viewerOf } from './grants.ts';
import type { Services } from './services.ts';

const index = integer(0, Number.MAX_SAFE_INTEGER);
const entrySchema = object({
  index, commitment: text(64), kind: text(64), at: named('Time'), actor: named('PartyId'), institution: nullable(named('PartyId')),
  record: { type: ['object', 'null'], description: 'Null once erased.' }, salt: nullable(text(64)),
  disputed: list(named('FieldRef'), 250, 'To the enterprise, of a score among those of a list: fields behind it that it disputed then. No part of the record, which names no enterprise.'),
}, { optional: ['disputed'] });
const signedRequestSchema = object({
  request: named('CompactJws'),
  key: nullable(object({ jwk: { type: 'object' }, thumbprint: text(43), added_at: named('Time'), retired_at: nullable(named('Time')) }, { description: 'The signature key the request names, and when it was in use.' })),
});
type AccessQuery = { readonly before?: number; readonly limit?: number; readonly institution?: string; readonly from?: string; readonly to?: string; readonly outcome?: AccessOutcome; readonly grant?: GrantId };
const accessQuery = object(
  {
    before: index, limit: integer(1, 500), institution: named('PartyId'),
    from: named('Time'), to: { ...named('Time'), description: 'Exclusive.' }, outcome: oneOf(['released', 'refused']),
    grant: { ...named('GrantId'), description: 'What happened to one of your grants, and under it.' },
  },
  { optional: ['before', 'limit', 'institution', 'from', 'to', 'outcome', 'grant'] },
);
const bytes = 'application/octet-stream';

type LogServices = Pick<Services, 'log' | 'logVerifierKey' | 'signedRequests' | 'database' | 'signer' | 'clock' | 'gatewayUrl' | 'desk'>;

/** The transparency log: hashes and checkpoints for anybody (C2SP tlog-tiles), records for those they are about. */
export function logRoutes(services: LogServices): readonly Route[] {
  const { log, logVerifierKey } = services;
  return [
    route({
      method: 'GET', path: '/v1/log/checkpoint', operationId: 'readCheckpoint', tag: 'Log', access: 'public',
      summary: 'The newest signed checkpoint, with the witnesses\' cosignatures (C2SP tlog-checkpoint)',
      responses: { 200: { description: 'A signed note.', mediaType: 'text/plain; charset=utf-8' } },
      errors: ['AUDIT_ENTRY_NOT_FOUND'],
      examples: { cli: 'veilgate audit verify' },
      handler: async () => content('text/plain; charset=utf-8', await log.checkpoint()),
    }),
    route({
      method: 'GET', path: '/v1/log/key', operationId: 'readLogKey', tag: 'Log', access: 'public',
      summary: 'Verifier key of the log (C2SP signed-note)',
      description: 'Learn it once by a way you trust and keep it: whoever forges the log can forge this answer too.',
      responses: { 200: { description: 'One line.', mediaType: 'text/plain; charset=utf-8' } },
      errors: [],
      handler: async () => content('text/plain; charset=utf-8', logVerifierKey),
    }),
    route<{ query: { readonly after: number } }>({
      method: 'GET', path: '/v1/log/checkpoints', operationId: 'listCheckpoints', tag: 'Log', access: 'public',
      summary: 'Checkpoints of more than `after` entries, smallest first',
      request: { query: object({ after: integer(-1, Number.MAX_SAFE_INTEGER, 'A number of entries; -1 for all checkpoints.') }) },
      responses: { 200: { description: 'A JSON list of signed notes.', mediaType: 'application/json' } },
      errors: ['AUDIT_RANGE_INVALID'],
      handler: async ({ query }) => content('application/json', JSON.stringify(await log.history(query.after))),
    }),
    ...tileRoutes(log),
    route<{ params: { readonly index: number } }>({
      method: 'GET', path: '/v1/log/entries/{index}/proof', operationId: 'proveEntry', tag: 'Log', access: 'public',
      summary: 'Proof that an entry is in the log, with the checkpoint it leads to (C2SP tlog-proof)',
      request: { params: object({ index }) },
      responses: { 200: { description: 'Text.', mediaType: 'text/plain; charset=utf-8' } },
      errors: ['AUDIT_ENTRY_NOT_FOUND', 'AUDIT_RANGE_INVALID'],
      handler: async ({ params }) => content('text/plain; charset=utf-8', await log.proof(params.index)),
    }),
    route<{ query: { readonly from: number; readonly to: number } }>({
      method: 'GET', path: '/v1/log/consistency', operationId: 'proveConsistency', tag: 'Log', access: 'public',
      summary: 'Proof that the log of `to` entries continues the log of `from` entries (RFC 6962)',
      request: { query: object({ from: index, to: index }) },
      responses: { 200: { description: 'Hashes in base64.', schema: object({ hashes: list(text(44), 128) }) } },
      errors: ['AUDIT_RANGE_INVALID', 'AUDIT_ENTRY_NOT_FOUND'],
      handler: async ({ query }) => ok({ hashes: (await log.consistencyProof(query.from, query.to)).map((hash) => Buffer.from(hash).toString('base64')) }),
    }),
    ...recordRoutes(services),
  ];
}

/** Records, for those they are about and for auditors. */
function recordRoutes({ log, signedRequests, database, signer, clock, gatewayUrl, desk }: LogServices): readonly Route[] {
  return [
    route<{ params: { readonly index: number } }>({
      method: 'GET', path: '/v1/log/entries/{index}', operationId: 'readEntry', tag: 'Log', access: 'party', scopes: ['query', 'grants', 'audit'],
      summary: 'An entry with its record, for those it is about and for auditors',
      request: { params: object({ index }) },
      responses: { 200: { description: 'The entry.', schema: entrySchema } },
      errors: ['AUDIT_ENTRY_NOT_FOUND'],
      handler: async ({ caller, params }) => ok(entryJson(await visible(database, caller, await log.entry(params.index)))),
    }),
    route<{ params: { readonly index: number } }>({
      method: 'GET', path: '/v1/log/entries/{index}/request', operationId: 'readSignedRequest', tag: 'Log', access: 'party', scopes: ['audit'],
      summary: 'The request an institution signed, of which an entry\'s record has the digest, and the key to check it with',
      description: 'For when an institution denies having asked. It may hold what was claimed of an enterprise, so each reading is an entry of the log itself (`request.shown`).',
      request: { params: object({ index }) },
      responses: { 200: { description: 'The request; the key is null when the registry has lost it.', schema: signedRequestSchema } },
      errors: ['AUDIT_REQUEST_NOT_FOUND', 'AUDIT_REQUEST_UNREADABLE'],
      examples: { cli: 'veilgate audit request 17' },
      handler: async ({ caller, params }) => {
        const { request, key } = await signedRequests.show(params.index, caller.party);
        return ok({ request, key: key && { jwk: trustedJson(key.jwk), thumbprint: key.thumbprint, added_at: key.addedAt, retired_at: key.retiredAt } });
      },
    }),
    route<{ params: { readonly index: number } }>({
      method: 'GET', path: '/v1/log/entries/{index}/receipt', operationId: 'readEntryReceipt', tag: 'Log', access: 'party', scopes: ['grants', 'query', 'audit'],
      summary: 'The receipt of an answer or refusal, issued anew, for those the entry is about',
      description: 'The institution got one with the answer; this is the same statement, signed at this moment, for the enterprise to keep and to check.',
      request: { params: object({ index }) },
      responses: { 200: { description: 'Signed by the platform.', schema: object({ receipt: named('CompactJws') }) } },
      errors: ['AUDIT_ENTRY_NOT_FOUND'],
      examples: { cli: 'veilgate access receipt 17' },
      handler: async ({ caller, params }) => {
        const { record, salt, ...entry } = await visible(database, caller, await log.entry(params.index));
        if (!isReceipted(record) || salt === null) throw new VeilgateError('AUDIT_ENTRY_NOT_FOUND', 'This entry is about no answer and no refusal, or its record was erased: it has no receipt.');
        const of = { index: entry.index, commitment: new Uint8Array(entry.commitment), salt: new Uint8Array(salt) };
        return ok({ receipt: await issueReceipt({ signer, clock, issuer: gatewayUrl, origin: desk.logOrigin, record, entry: of }) });
      },
    }),
    route<{ query: AccessQuery }>({
      method: 'GET', path: '/v1/accesses', operationId: 'listAccesses', tag: 'Log', access: 'party', scopes: ['grants', 'query', 'audit'],
      summary: 'What happened: to an enterprise, by an institution, or all of it for an auditor; newest first',
      description: 'A record of an answer says which fields were decided how (`outcomes`), never a value. With `outcome`, only accesses: answers and scores that went out, or were refused.',
      request: { query: accessQuery },
      responses: { 200: { description: 'Entries; continue with `before` the last index.', schema: object({ accesses: list(entrySchema, 500) }) } },
      errors: ['AUDIT_RANGE_INVALID', 'PARTY_NOT_PERMITTED', 'CONSENT_NOT_FOUND'],
      examples: { cli: 'veilgate audit accesses' },
      handler: async ({ caller, query }) => {
        const own = scopeOf(caller, query.institution);
        const under = query.grant === undefined ? {} : { grant: query.grant, subject: (await readGrant(database, query.grant, viewerOf(caller), clock.nowMs())).subject };
        const found = await accessHistory(log, database, { ...own, ...filterOf(query), ...under, limit: query.limit ?? 100 });
        return ok({ accesses: found.map(entryJson) });
      },
    }),
    route<{ params: { readonly bundle: number }; query: { readonly width: number } }>({
      method: 'GET', path: '/v1/log/records/{bundle}', operationId: 'readRecords', tag: 'Log', access: 'party', scopes: ['audit'],
      summary: 'Records and salts of a bundle of 256 entries, for the auditor\'s verifier',
      request: { params: object({ bundle: index }), query: object({ width: integer(1, 256) }) },
      responses: { 200: { description: 'In order; null where erased.', schema: object({ records: list({ type: ['object', 'null'] }, 256) }) } },
      errors: ['AUDIT_RANGE_INVALID'],
      handler: async ({ params, query }) => {
        const shown = await log.records(params.bundle, query.width);
        return ok({ records: shown.map((entry) => (entry === null ? null : trustedJson({ ...entry, salt: Buffer.from(entry.salt).toString('base64url') }))) });
      },
    }),
  ];
}

/** A tile's path has one to five parts behind its level: each depth is a route of its own. */
function tileRoutes(log: Services['log']): readonly Route[] {
  const parts = ['a', 'b', 'c', 'd', 'e'] as const;
  const part = { type: 'string', pattern: '^[x0-9p.]{1,8}$', maxLength: 8 } as const;
  return parts.map((_, depth) => {
    const names = parts.slice(0, depth + 1);
    return route<{ params: Readonly<Record<string, string>> }>({
      method: 'GET', path: `/v1/log/tile/{level}/${names.map((name) => `{${name}}`).join('/')}`, operationId: `readTile${depth + 1}`, tag: 'Log', access: 'public',
      summary: 'Hashes of a tile, or a bundle of entries for the level `entries` (C2SP tlog-tiles)',
      request: { params: object({ level: { type: 'string', pattern: '^([0-9]{1,2}|entries)$', maxLength: 7 }, ...Object.fromEntries(names.map((name) => [name, part])) }) },
      responses: { 200: { description: 'Bytes.', mediaType: bytes } },
      errors: ['AUDIT_RANGE_INVALID', 'AUDIT_ENTRY_NOT_FOUND'],
      handler: async ({ params }) => {
        const address = parseTilePath(`tile/${params['level']}/${names.map((name) => params[name]).join('/')}`);
        if (address === undefined) throw new VeilgateError('AUDIT_RANGE_INVALID', 'This is no address of a tile: see docs/formats/log.md.');
        return content(bytes, address.level === 'entries' ? await log.entries(address.index, address.width) : await log.tile(address.level, address.index, address.width));
      },
    });
  });
}

/** Equal answers for an entry that is not there and one that is about others. */
async function visible(sql: Sql, caller: Caller, entry: StoredEntry): Promise<HistoryEntry> {
  if (caller.scopes.has('audit')) return entry;
  const own = caller.subject === undefined ? undefined : await ownPart(sql, caller.subject, entry);
  if (own !== undefined) return own;
  const subject = (entry.record as { readonly subject?: string } | null)?.subject;
  if (caller.subject !== undefined ? subject === caller.subject : entry.institution === caller.party) return entry;
  throw new VeilgateError('AUDIT_ENTRY_NOT_FOUND', 'The log has no entry with this index: check the receipt it was taken from.');
}

function scopeOf(caller: Caller, institution: string | undefined): { readonly subject?: SubjectId; readonly institution?: string } {
  if (caller.scopes.has('audit')) return institution === undefined ? {} : { institution };
  if (caller.subject !== undefined) return { subject: caller.subject, ...(institution === undefined ? {} : { institution }) };
  if (caller.kind === 'institution') return { institution: caller.party };
  throw new VeilgateError('PARTY_NOT_PERMITTED', 'The access history is for enterprises, institutions and auditors.');
}

function filterOf({ before, from, to, outcome }: AccessQuery): Omit<EntryFilter, 'limit'> {
  return {
    ...(before === undefined ? {} : { beforeIndex: before }), ...(from === undefined ? {} : { fromMs: Date.parse(from) as TimeMs }), ...(to === undefined ? {} : { untilMs: Date.parse(to) as TimeMs }),
    ...(outcome === undefined ? {} : { kinds: accessKinds[outcome] }),
  };
}

export function entryJson({ index: at, commitment, kind, at: time, actor, institution, record, salt, disputed }: HistoryEntry): JsonObject {
  return {
    index: at, commitment: Buffer.from(commitment).toString('base64url'), kind, at: time, actor, institution,
    record: trustedJson(record), salt: salt === null ? null : Buffer.from(salt).toString('base64url'),
    ...(disputed === undefined ? {} : { disputed }),
  };
}
