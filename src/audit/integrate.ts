import { hash } from 'node:crypto';
import { isoTime, type Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { Database, Tx } from '../store/database.ts';
import { sameBytes } from './bytes.ts';
import type { CheckpointSigner } from './checkpoint.ts';
import { tileWidth, widthAt } from './tile.ts';
import { hashLength } from './tree.ts';

/**
 * Entries one transaction takes into the tree; a longer backlog takes several, each with its checkpoint. So few that
 * queries under way hardly notice (docs/decisions/0297-the-tree-grows-in-small-parts.md).
 */
const integrateMax = 2048;
/** First key of the advisory locks of audit/: the bytes of "vglg". */
const lockSpace = 0x76676c67;

/** `busy`: another node is at it; `unchanged`: nothing new; `extended`: a new checkpoint was signed and stored. */
export type Integration =
  | { readonly kind: 'busy' }
  | { readonly kind: 'unchanged' | 'extended'; readonly head: TreeHead; /** Entries still waiting. */ readonly behind: number };

export type TreeHead = { readonly size: number; readonly root: Uint8Array };

export type IntegrationOptions = {
  /** False when witnesses have to cosign before the checkpoint is served. */
  readonly publishAtOnce: boolean;
  /** What this process saw last. A database that fell behind it (a backup, a lagging replica) must not be signed. */
  readonly remembered?: TreeHead | undefined;
};

/**
 * Takes appended entries into the tree: extends the tiles and signs a checkpoint, in one transaction that one node
 * at a time holds. A crash at any point leaves the log as it was. A log that contradicts its last checkpoint is not
 * signed. Errors: AUDIT_LOG_INCONSISTENT.
 */
export function integrate(database: Database, signer: CheckpointSigner, clock: Clock, options: IntegrationOptions): Promise<Integration> {
  return database.transaction('audit integrate', async (tx) => {
    const locked = await tx.query<{ locked: boolean }>('select pg_try_advisory_xact_lock($1, 1) as locked', [lockSpace]);
    if (locked.rows[0]?.locked !== true) return { kind: 'busy' };
    const known = (await tx.query<{ size: number; root: Buffer }>('select size, root from audit_checkpoint order by size desc limit 1')).rows[0];
    const appended = (await tx.query<{ next_index: number }>('select next_index from audit_sequencer')).rows[0]?.next_index ?? 0;
    const before = known?.size ?? 0;
    await requireRemembered(tx, options.remembered);
    if (appended < before) throw inconsistent('it has lost entries that a checkpoint counts');
    if (known !== undefined && appended === before) return { kind: 'unchanged', head: known, behind: 0 };

    const size = Math.min(appended, before + integrateMax);
    const tiles = await loadEdge(tx, before);
    if (known !== undefined && !sameBytes(edgeRoot(tiles, before), known.root)) throw inconsistent('its tiles do not give the root of the last checkpoint');
    extend(tiles, before, await leafHashes(tx, before, size));
    await storeTiles(tx, tiles);
    const root = new Uint8Array(edgeRoot(tiles, size));
    const now = isoTime(clock.nowMs());
    await tx.query('insert into audit_checkpoint (size, root, signed_note, created_at, published_at) values ($1, $2, $3, $4, $5)', [
      size, Buffer.from(root), await signer.sign({ size, root }), now, options.publishAtOnce ? now : null,
    ]);
    return { kind: 'extended', head: { size, root }, behind: appended - size };
  });
}

async function requireRemembered(tx: Tx, remembered: TreeHead | undefined): Promise<void> {
  if (remembered === undefined) return;
  const found = await tx.query<{ root: Buffer }>('select root from audit_checkpoint where size = $1', [remembered.size]);
  const root = found.rows[0]?.root;
  if (root === undefined || !sameBytes(root, remembered.root)) throw inconsistent('it no longer holds a checkpoint that was signed earlier');
}

/** Tiles by `level/index`; those that end the tree are there, and those that `extend` made or made wider. */
type Tiles = Map<string, { readonly level: number; readonly index: number; hashes: Buffer; changed: boolean }>;

/** The partial tile at each level of a tree of `size`, if there is one. */
function edgeOf(size: number): { level: number; index: number; width: number }[] {
  const edge = [];
  for (let level = 0, hashes = size; hashes > 0; level += 1, hashes = Math.floor(hashes / tileWidth)) {
    const index = Math.floor(hashes / tileWidth);
    const width = widthAt(level, index, size);
    if (width > 0) edge.push({ level, index, width });
  }
  return edge;
}

async function loadEdge(tx: Tx, size: number): Promise<Tiles> {
  const edge = edgeOf(size);
  const found = await tx.query<{ level: number; index: number; hashes: Buffer }>(
    'select level, index, hashes from audit_tile join unnest($1::smallint[], $2::bigint[]) as edge (level, index) using (level, index)',
    [edge.map(({ level }) => level), edge.map(({ index }) => index)],
  );
  const tiles: Tiles = new Map(found.rows.map((tile) => [`${tile.level}/${tile.index}`, { ...tile, changed: false }]));
  for (const { level, index, width } of edge) {
    if (tiles.get(`${level}/${index}`)?.hashes.length !== width * hashLength) throw inconsistent(`tile ${level}/${index} is missing or of another width`);
  }
  return tiles;
}

/** Hashed by the database: what it has at hand anyway would cost this process a row each. */
async function leafHashes(tx: Tx, from: number, to: number): Promise<Buffer[]> {
  const { rows: [found] } = await tx.query<{ count: number; leaves: Buffer }>({
    name: 'audit leaves',
    text: `select count(*)::integer as count, coalesce(string_agg(sha256('\\x00'::bytea || commitment), ''::bytea order by index), ''::bytea) as leaves
           from audit_entry where index >= $1 and index < $2`,
    values: [from, to],
  });
  if (found?.count !== to - from) throw inconsistent(`entries between ${from} and ${to - 1} are missing`);
  const { leaves } = found;
  return Array.from({ length: to - from }, (_, at) => leaves.subarray(at * hashLength, (at + 1) * hashLength));
}

/** Appends leaf hashes to the tiles; each tile that becomes full puts its root into the level above. */
function extend(tiles: Tiles, size: number, leaves: readonly Buffer[]): void {
  for (let level = 0, hashes = leaves, start = size; hashes.length > 0; level += 1, start = Math.floor(start / tileWidth)) {
    const above: Buffer[] = [];
    for (let taken = 0; taken < hashes.length;) {
      const index = Math.floor((start + taken) / tileWidth);
      const room = tileWidth - ((start + taken) % tileWidth);
      const part = hashes.slice(taken, taken + room);
      const widened = Buffer.concat([tiles.get(`${level}/${index}`)?.hashes ?? Buffer.alloc(0), ...part]);
      tiles.set(`${level}/${index}`, { level, index, hashes: widened, changed: true });
      if (part.length === room) above.push(perfectRoot(widened));
      taken += part.length;
    }
    hashes = above;
  }
}

/** Root of a tree of `size`, out of the tiles that end it. */
function edgeRoot(tiles: Tiles, size: number): Buffer {
  let root: Buffer | undefined;
  for (const { level, index, width } of edgeOf(size)) {
    const { hashes } = tiles.get(`${level}/${index}`)!;
    // complete subtrees of this tile, smallest and rightmost first
    for (let count = 1, end = width; end > 0; count *= 2) {
      if (end % (count * 2) === 0) continue;
      const subtree = perfectRoot(hashes.subarray((end - count) * hashLength, end * hashLength));
      root = root === undefined ? subtree : node(subtree, root);
      end -= count;
    }
  }
  return root ?? hash('sha256', Buffer.alloc(0), 'buffer');
}

/** Root over 2^n concatenated hashes. */
function perfectRoot(hashes: Buffer): Buffer {
  if (hashes.length === hashLength) return hashes;
  const middle = hashes.length / 2;
  return node(perfectRoot(hashes.subarray(0, middle)), perfectRoot(hashes.subarray(middle)));
}

function node(left: Buffer, right: Buffer): Buffer {
  return hash('sha256', Buffer.concat([Buffer.of(1), left, right]), 'buffer');
}

async function storeTiles(tx: Tx, tiles: Tiles): Promise<void> {
  const changed = [...tiles.values()].filter((tile) => tile.changed);
  await tx.query(
    `insert into audit_tile (level, index, hashes) select * from unnest($1::smallint[], $2::bigint[], $3::bytea[])
     on conflict (level, index) do update set hashes = excluded.hashes`,
    [changed.map(({ level }) => level), changed.map(({ index }) => index), changed.map(({ hashes }) => hashes)],
  );
}

function inconsistent(what: string): VeilgateError {
  return new VeilgateError('AUDIT_LOG_INCONSISTENT', `The audit log contradicts itself (${what}), so no further checkpoint is signed: stop the platform, run the log verification and compare with a backup.`);
}
