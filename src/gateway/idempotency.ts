import { createHash } from 'node:crypto';
import { VeilgateError } from '../errors.ts';
import { isoTime, type Clock } from '../clock.ts';
import type { Database, Tx } from '../store/database.ts';
import type { TimeMs } from '../vocabulary.ts';
import type { JsonObject, OnceReply, OnceResult, Reply } from './route.ts';

/** Who sent which key for which request. */
export type IdempotentRequest = {
  /** Party id, or `anonymous`. Keys of different parties never meet. */
  readonly party: string;
  readonly key: string;
  readonly requestSha256: Buffer;
};

export type Idempotency = {
  /**
   * Runs `work` and records its reply in one transaction; the same request with the same key gets the recorded
   * reply. A throw records nothing, so that it can be tried again.
   * Errors: IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS, and those of `work`.
   */
  readonly once: (request: IdempotentRequest, work: (tx: Tx) => Promise<OnceResult>) => Promise<OnceReply>;
  /** Deletes what has expired, at most `max` keys. @returns how many */
  readonly purge: (max: number) => Promise<number>;
};

const bodyCharactersMax = 65_536;

/** Quoted as the IETF draft has it, or bare as most clients send it: 8 to 128 characters of a narrow alphabet. */
const keyForm = /^"?([A-Za-z0-9._~:-]{8,128})"?$/;

/** Errors: IDEMPOTENCY_KEY_MISSING, also for a key of another form. */
export function idempotencyKeyOf(header: string | readonly string[] | undefined): string {
  const key = typeof header === 'string' ? keyForm.exec(header)?.[1] : undefined;
  if (key === undefined) {
    throw new VeilgateError('IDEMPOTENCY_KEY_MISSING', 'This request creates something: send an Idempotency-Key of 8 to 128 letters, digits or ._~:- that you repeat if you repeat the request.');
  }
  return key;
}

/** What a key is bound to. Each part is preceded by its length, so that no two requests give one text. */
export function requestDigest(parts: readonly string[], bodySha256: Buffer): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:${part}`);
  return hash.update(bodySha256).digest();
}

type StoredRow = { readonly request_sha256: Buffer; readonly status: number; readonly body: string | null; readonly location: string | null };

export function createIdempotency(options: { readonly database: Database; readonly clock: Clock; readonly hours: number }): Idempotency {
  const { database, clock } = options;
  const lifeMs = options.hours * 3_600_000;
  return {
    once: (request, work) =>
      database.transaction('once per idempotency key', async (tx) => {
        const keySha256 = createHash('sha256').update(request.key).digest();
        await lock(tx, request.party, keySha256);
        const nowMs = clock.nowMs();
        const stored = await find(tx, request.party, keySha256, nowMs);
        if (stored !== undefined) return repeated(stored, request.requestSha256);
        const { reply, shownOnce } = await work(tx);
        await store(tx, request, keySha256, reply, (nowMs + lifeMs) as TimeMs);
        return withShownOnce(reply, shownOnce) as OnceReply;
      }),
    async purge(max) {
      const { rowCount } = await database.query(
        'delete from idempotency_key where (party, key_sha256) in (select party, key_sha256 from idempotency_key where expires_at <= $1 limit $2)',
        [isoTime(clock.nowMs()), max],
      );
      return rowCount ?? 0;
    },
  };
}

/** Held until the transaction ends, on whichever node it runs. */
async function lock(tx: Tx, party: string, keySha256: Buffer): Promise<void> {
  const { rows } = await tx.query<{ free: boolean }>('select pg_try_advisory_xact_lock($1::bigint) as free', [lockNumber(party, keySha256)]);
  if (rows[0]?.free !== true) throw new VeilgateError('IDEMPOTENCY_IN_PROGRESS', 'A request with this Idempotency-Key is still under way: wait for its answer or repeat it in a second.');
}

function lockNumber(party: string, keySha256: Buffer): string {
  return createHash('sha256').update(`idempotency:${party}:`).update(keySha256).digest().readBigInt64BE().toString();
}

async function find(tx: Tx, party: string, keySha256: Buffer, nowMs: TimeMs): Promise<StoredRow | undefined> {
  const { rows } = await tx.query<StoredRow>(
    'select request_sha256, status, body, location from idempotency_key where party = $1 and key_sha256 = $2 and expires_at > $3',
    [party, keySha256, isoTime(nowMs)],
  );
  return rows[0];
}

async function store(tx: Tx, request: IdempotentRequest, keySha256: Buffer, reply: Reply, expiresAtMs: TimeMs): Promise<void> {
  if ('mediaType' in reply) throw new TypeError('only JSON answers are stored');
  const body = 'json' in reply ? JSON.stringify(reply.json) : null;
  if (body !== null && body.length > bodyCharactersMax) throw new TypeError('an answer to be stored is too long');
  await tx.query(
    `insert into idempotency_key (party, key_sha256, request_sha256, status, body, location, expires_at) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (party, key_sha256) do update set request_sha256 = excluded.request_sha256, status = excluded.status, body = excluded.body,
       location = excluded.location, expires_at = excluded.expires_at`, // only an expired key can be in the way
    [request.party, keySha256, request.requestSha256, reply.status, body, 'json' in reply ? (reply.headers?.['Location'] ?? null) : null, isoTime(expiresAtMs)],
  );
}

function repeated(stored: StoredRow, requestSha256: Buffer): OnceReply {
  if (!stored.request_sha256.equals(requestSha256)) {
    throw new VeilgateError('IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key was used for another request: use a new one for each new request.');
  }
  const reply: Reply = stored.body === null
    ? { status: 204 }
    : {
        status: stored.status as 200 | 201 | 202,
        json: JSON.parse(stored.body) as JsonObject,
        headers: { ...(stored.location === null ? {} : { Location: stored.location }), 'Idempotency-Replayed': 'true' },
      };
  return reply as OnceReply;
}

function withShownOnce(reply: Reply, shownOnce: JsonObject | undefined): Reply {
  if (shownOnce === undefined) return reply;
  if (!('json' in reply)) throw new TypeError('what is shown once joins a JSON answer');
  return { ...reply, json: { ...reply.json, ...shownOnce } };
}
