import { VeilgateError } from '../errors.ts';
import { isoTime } from '../clock.ts';
import { batcher } from '../store/batch.ts';
import type { Database, Sql } from '../store/database.ts';
import type { GrantId, SubjectId, TimeMs } from '../vocabulary.ts';
import type { Bytes } from './bytes.ts';
import type { AuditKind, AuditRecord } from './entry.ts';
import { nodeSha256 } from './node-sha256.ts';
import { formatLogProof } from './proof.ts';
import type { ShownRecord } from './record-check.ts';
import { encodeBundle, isTileAddress, nodesOfTiles, tileWidth, type TileReader } from './tile.ts';
import { consistencyProof, hashLength, inclusionProof } from './tree.ts';

/** What the platform serves of its log. Everything but `entry`, `records` and `list` is public. */
export type AuditReader = {
  /** The newest published checkpoint with the cosignatures it has. Errors: AUDIT_ENTRY_NOT_FOUND before the first one. */
  readonly checkpoint: () => Promise<string>;
  /** Signed notes of the checkpoints that count more than `afterSize` entries, at most historyMax, smallest first. */
  readonly history: (afterSize: number) => Promise<string[]>;
  /** Hashes of a tile. Errors: AUDIT_RANGE_INVALID, AUDIT_ENTRY_NOT_FOUND. */
  readonly tile: (level: number, index: number, width: number) => Promise<Uint8Array>;
  /** A bundle of entries (their commitments). Errors: AUDIT_RANGE_INVALID, AUDIT_ENTRY_NOT_FOUND. */
  readonly entries: (index: number, width: number) => Promise<Uint8Array>;
  /** Errors: AUDIT_RANGE_INVALID. */
  readonly inclusionProof: (index: number, size: number) => Promise<Bytes[]>;
  /** Errors: AUDIT_RANGE_INVALID. */
  readonly consistencyProof: (from: number, to: number) => Promise<Bytes[]>;
  /** C2SP tlog-proof of an entry under the newest published checkpoint. Errors: AUDIT_ENTRY_NOT_FOUND while it is not yet counted by one. */
  readonly proof: (index: number) => Promise<string>;
  /** One entry with its record. For those who may see it: the caller checks that. Errors: AUDIT_ENTRY_NOT_FOUND. */
  readonly entry: (index: number) => Promise<StoredEntry>;
  /** Entries by their indices, newest first; at most listMax. For those who may see them: the caller checks that. Errors: AUDIT_RANGE_INVALID. */
  readonly at: (indices: readonly number[]) => Promise<StoredEntry[]>;
  /** Records of a bundle, as a verifier wants them. For those who may see all of them: the caller checks that. Errors: AUDIT_RANGE_INVALID. */
  readonly records: (index: number, width: number) => Promise<(ShownRecord | null)[]>;
  /** Entries by their facts, newest first. For those who may see them: the caller checks that. Errors: AUDIT_RANGE_INVALID. */
  readonly list: (filter: EntryFilter) => Promise<StoredEntry[]>;
};

export type StoredEntry = {
  readonly index: number;
  readonly commitment: Uint8Array;
  readonly kind: AuditKind;
  readonly at: string;
  readonly actor: string;
  readonly institution: string | null;
  /** Null once erased, like the salt. */
  readonly record: AuditRecord | null;
  readonly salt: Uint8Array | null;
};

export type EntryFilter = {
  readonly subject?: SubjectId;
  readonly institution?: string;
  /** Only what happened to this grant, or under it. Name its enterprise too: there is no index of grants. */
  readonly grant?: GrantId;
  readonly kinds?: readonly AuditKind[];
  readonly fromMs?: TimeMs;
  /** Exclusive. */
  readonly untilMs?: TimeMs;
  /** Only entries with a smaller index: the last index of the page before. */
  readonly beforeIndex?: number;
  /** 1..listMax. */
  readonly limit: number;
};

export const listMax = 500;
export const historyMax = 1000;

type EntryRow = { index: number; commitment: Buffer; kind: AuditKind; at: Date; actor: string; institution: string | null; record: string | null; salt: Buffer | null };
const entryColumns = 'index, commitment, kind, at, actor, institution, record, salt';

export function auditReader(database: Database): AuditReader {
  const readTile = logTiles(database);
  const newest = async () => {
    const row = (await database.query<{ size: number; signed_note: string; cosignatures: string[] }>({
      name: 'audit checkpoint',
      text: 'select size, signed_note, cosignatures from audit_checkpoint where published_at is not null order by size desc limit 1',
    })).rows[0];
    if (row === undefined) throw new VeilgateError('AUDIT_ENTRY_NOT_FOUND', 'The log has no published checkpoint yet: ask again in a few seconds.');
    return { size: row.size, note: row.signed_note + row.cosignatures.map((line) => `${line}\n`).join('') };
  };
  return {
    checkpoint: async () => (await newest()).note,
    history: (afterSize) => checkpointHistory(database, afterSize),
    async tile(level, index, width) {
      requireAddress({ level, index, width });
      return readTile(level, index, width);
    },
    async entries(index, width) {
      requireAddress({ level: 'entries', index, width });
      return encodeBundle(await bundleEntries(database, index, width));
    },
    async inclusionProof(index, size) {
      await requireIntegrated(database, size);
      return inclusionProof(index, size, nodesOfTiles(size, readTile, nodeSha256), nodeSha256);
    },
    async consistencyProof(from, to) {
      await requireIntegrated(database, to);
      return consistencyProof(from, to, nodesOfTiles(to, readTile, nodeSha256), nodeSha256);
    },
    async proof(index) {
      const { size, note } = await newest();
      if (Number.isSafeInteger(index) && index >= size) throw new VeilgateError('AUDIT_ENTRY_NOT_FOUND', 'No published checkpoint counts this entry yet: ask again in a few seconds.');
      return formatLogProof({ index, hashes: await inclusionProof(index, size, nodesOfTiles(size, readTile, nodeSha256), nodeSha256), checkpoint: note });
    },
    async entry(index) {
      const found = Number.isSafeInteger(index) && index >= 0
        ? await database.query<EntryRow>({ name: 'audit entry', text: `select ${entryColumns} from audit_entry where index = $1`, values: [index] })
        : undefined;
      const row = found?.rows[0];
      if (row === undefined) throw new VeilgateError('AUDIT_ENTRY_NOT_FOUND', 'The log has no entry with this index: check the receipt it was taken from.');
      return storedEntry(row);
    },
    async at(indices) {
      if (indices.length > listMax || !indices.every(Number.isSafeInteger)) throw new VeilgateError('AUDIT_RANGE_INVALID', `At most ${listMax} entries are read at once: ask for fewer.`);
      if (indices.length === 0) return [];
      const { rows } = await database.query<EntryRow>({ name: 'audit entries at', text: `select ${entryColumns} from audit_entry where index = any($1::bigint[]) order by index desc`, values: [indices] });
      return rows.map(storedEntry);
    },
    async records(index, width) {
      requireAddress({ level: 'entries', index, width });
      return shownRecords(database, index, width);
    },
    list: (filter) => listEntries(database, filter),
  };
}

/** Records of a bundle as far as the log goes, counted by a checkpoint or not; null where erased. */
export async function shownRecords(database: Database, index: number, width: number): Promise<(ShownRecord | null)[]> {
  const first = index * tileWidth;
  const found = await database.query<EntryRow & { subject: string | null }>({
    name: 'audit records', text: `select ${entryColumns}, subject from audit_entry where index >= $1 and index < $2 order by index`, values: [first, first + width],
  });
  const shown: (ShownRecord | null)[] = [];
  for (const { index: place, record, salt, kind, at, actor, subject, institution } of found.rows) {
    if (place !== first + shown.length) break; // behind a gap nothing stands where it should
    shown.push(record === null || salt === null ? null : { record, salt, facts: { kind, at: at.toISOString(), actor, subject, institution } });
  }
  return shown;
}

/** Tiles out of the database, many at a time in one statement. Errors: AUDIT_ENTRY_NOT_FOUND. */
export function logTiles(database: Database): TileReader {
  const load = batcher<{ level: number; index: number; width: number }, Uint8Array>(async (wanted) => {
    const found = await database.query<{ place: number; hashes: Buffer }>({
      name: 'audit tiles',
      text: `select place::int, substring(hashes for width * ${hashLength}) as hashes
             from unnest($1::smallint[], $2::bigint[], $3::int[]) with ordinality as wanted (level, index, width, place)
             join audit_tile using (level, index)`,
      values: [wanted.map(({ level }) => level), wanted.map(({ index }) => index), wanted.map(({ width }) => width)],
    });
    const tiles = new Map(found.rows.map(({ place, hashes }) => [place - 1, hashes]));
    return wanted.map(({ width }, at) => {
      const tile = tiles.get(at);
      return tile?.length === width * hashLength ? tile : notThere();
    });
  }, { maxItems: 64, maxWaiting: 10_000, concurrency: 2, onFull: () => new VeilgateError('REQUEST_OVERLOADED', 'Too many requests for the log at once: ask again in a second.') });
  return (level, index, width) => load({ level, index, width });
}

/** Errors: AUDIT_RANGE_INVALID. */
export async function checkpointHistory(database: Database, afterSize: number): Promise<string[]> {
  if (!Number.isSafeInteger(afterSize)) throw new VeilgateError('AUDIT_RANGE_INVALID', 'A log size is a whole number: send one.');
  const found = await database.query<{ signed_note: string }>({
    name: 'audit history',
    text: 'select signed_note from audit_checkpoint where size > $1 order by size limit $2',
    values: [afterSize, historyMax],
  });
  return found.rows.map(({ signed_note }) => signed_note);
}

/** The entries of a bundle as far as checkpoints count them. Errors: AUDIT_ENTRY_NOT_FOUND when they are fewer than `width`. */
async function bundleEntries(database: Database, index: number, width: number): Promise<Buffer[]> {
  const first = index * tileWidth;
  const found = await database.query<{ commitment: Buffer }>({
    name: 'audit bundle',
    text: `select commitment from audit_entry
           where index >= $1 and index < least($2::bigint, (select max(size) from audit_checkpoint)) order by index`,
    values: [first, first + width],
  });
  if (found.rows.length !== width) throw notThere();
  return found.rows.map(({ commitment }) => commitment);
}

/** Entries in descending order of index. Errors: AUDIT_RANGE_INVALID. */
export async function listEntries(database: Sql, filter: EntryFilter): Promise<StoredEntry[]> {
  const { limit, beforeIndex = null } = filter;
  if (!Number.isInteger(limit) || limit < 1 || limit > listMax || (beforeIndex !== null && !Number.isSafeInteger(beforeIndex))) {
    throw new VeilgateError('AUDIT_RANGE_INVALID', `A page of log entries holds 1 to ${listMax}: ask for as many.`);
  }
  const time = (ms: TimeMs | undefined) => (ms === undefined ? null : isoTime(ms));
  const found = await database.query<EntryRow>(
    `select ${entryColumns} from audit_entry
     where ($1::text is null or subject = $1) and ($2::text is null or institution = $2) and ($3::text[] is null or kind = any($3))
       and ($4::timestamptz is null or at >= $4) and ($5::timestamptz is null or at < $5) and ($6::bigint is null or index < $6)
       and ($8::text is null or record::jsonb ->> 'grant' = $8)
     order by index desc limit $7`,
    [filter.subject ?? null, filter.institution ?? null, filter.kinds ?? null, time(filter.fromMs), time(filter.untilMs), beforeIndex, limit, filter.grant ?? null],
  );
  return found.rows.map(storedEntry);
}

function storedEntry({ at, record, ...row }: EntryRow): StoredEntry {
  return { ...row, at: at.toISOString(), record: record === null ? null : JSON.parse(record) as AuditRecord };
}

function requireAddress(address: Parameters<typeof isTileAddress>[0]): void {
  if (!isTileAddress(address)) throw new VeilgateError('AUDIT_RANGE_INVALID', 'The log has no such tile: its level, index or width is out of range.');
}

async function requireIntegrated(database: Database, size: number): Promise<void> {
  const newest = (await database.query<{ size: number | null }>({ name: 'audit size', text: 'select max(size) as size from audit_checkpoint' })).rows[0]?.size ?? 0;
  if (!Number.isSafeInteger(size) || size < 0 || size > newest) {
    throw new VeilgateError('AUDIT_RANGE_INVALID', 'The log is not that long yet: ask for a size that a checkpoint has.', { size: newest });
  }
}

function notThere(): VeilgateError {
  return new VeilgateError('AUDIT_ENTRY_NOT_FOUND', 'The log does not have this tile: ask only for what its checkpoint counts.');
}
