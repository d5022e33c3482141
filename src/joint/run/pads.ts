import type { Database, Sql, Tx } from '../../store/database.ts';
import { chunksFor, layoutOf } from '../circuit/layout.ts';
import { padsOf, startBundleDigest, type BundleSpec } from '../lottery/bundle.ts';
import { jointParameters as set } from '../../he/joint-parameters.ts';
import { VeilgateError } from '../../errors.ts';
import { padBytesOf } from '../../he/wire.ts';
import type { JointRun } from './run.ts';

/** Pads that travel or are read at once: 4 MB. */
export const padsAtOnce = 64;
/** Of one pad. */
export const padBytes = padBytesOf(set);
/** Pads of one bundle: with 64 KB each, 4 GB. */
export const bundlePadsMax = 65_536;

/** Errors: JOINT_BOUND_EXCEEDED for a bundle beyond `bundlePadsMax`. */
export function padsOfBundle(spec: BundleSpec): number {
  const pads = padsOf(set, spec);
  if (pads > bundlePadsMax) throw new VeilgateError('JOINT_BOUND_EXCEEDED', 'Pads for so many columns and rows are more than the platform keeps: declare fewer partner columns or bins.', { pads, pads_max: bundlePadsMax });
  return pads;
}

/** Where the pads of a column stand in its bundle: one-past-last at `to`. */
export function padsOfColumn(spec: BundleSpec, name: string): { readonly from: number; readonly to: number; readonly bins: number } {
  let from = 0;
  for (const { name: each, bins } of spec.columns) {
    const count = chunksFor(layoutOf(set.polyModulusDegree, bins), spec.rows);
    if (each === name) return { from, to: from + count, bins };
    from += count;
  }
  throw new VeilgateError('JOINT_INPUT_INVALID', 'The project has no such partner column: check its name.');
}

/**
 * Takes the pads that come next; those that are there already are left as they are, so an interrupted upload goes on
 * from anywhere before. @returns how many are there now
 * Errors: JOINT_INPUT_INVALID.
 */
export async function addPads(tx: Tx, run: Pick<JointRun, 'id' | 'pads' | 'received'>, from: number, bytes: Uint8Array): Promise<number> {
  const count = bytes.length / padBytes;
  if (!Number.isInteger(count) || count < 1 || count > padsAtOnce) throw new VeilgateError('JOINT_INPUT_INVALID', `Pads have ${padBytes} bytes each; send 1 to ${padsAtOnce} at once.`);
  if (from > run.received || from + count > run.pads) throw new VeilgateError('JOINT_INPUT_INVALID', 'Pads come in order: go on where `received` says.', { received: run.received, pads: run.pads });
  const received = Math.max(run.received, from + count);
  if (received === run.received) return received;
  await tx.query({
    name: 'joint pads add',
    text: `insert into joint_pad (run, pad, bytes) select $1, $2::int + n, substring($3::bytea from n * $4::int + 1 for $4::int) from generate_series($5::int, $6::int - 1) as n`,
    values: [run.id, from, bytes, padBytes, run.received - from, count],
  });
  await tx.query('update joint_run set received = $2 where id = $1', [run.id, received]);
  return received;
}

export async function storePublicKey(tx: Tx, id: string, publicKey: Uint8Array): Promise<void> {
  await tx.query('update joint_run set public_key = $2 where id = $1', [id, publicKey]);
}

export async function publicKeyOf(sql: Sql, id: string): Promise<Uint8Array> {
  const { rows: [row] } = await sql.query<{ key: Uint8Array }>('select public_key as key from joint_run where id = $1', [id]);
  return new Uint8Array(row?.key ?? []);
}

/** Pads in order, a few megabytes at a time. */
export async function* readPads(sql: Sql, id: string, from: number, to: number): AsyncGenerator<Uint8Array> {
  for (let at = from; at < to; at += padsAtOnce) {
    const { rows } = await sql.query<{ bytes: Uint8Array }>({ name: 'joint pads', text: 'select bytes from joint_pad where run = $1 and pad >= $2 and pad < $3 order by pad', values: [id, at, Math.min(to, at + padsAtOnce)] });
    for (const { bytes } of rows) yield new Uint8Array(bytes);
  }
}

/** Whether what came is the bundle that was committed to. Reads all of it once; memory stays flat. */
export async function fitsDigest(sql: Sql, run: JointRun): Promise<boolean> {
  const digest = startBundleDigest(set, run.spec, run.drawn);
  digest.update(await publicKeyOf(sql, run.id));
  for await (const pad of readPads(sql, run.id, 0, run.pads)) digest.update(pad);
  return digest.hex() === run.digests[run.drawn];
}

/**
 * Deletes what runs of finished projects needed to be asked: pads, shifts, and results that never left. The run itself stays,
 * as evidence, and so do answers. For housekeeping. @returns how many pads went, at most `max`
 */
export async function purgeFinishedRuns(database: Database, max: number): Promise<number> {
  const finished = "select r.id from joint_run r join joint_project p on p.id = r.project where p.state in ('ended', 'stopped')";
  return database.transaction('joint runs finished', async (tx) => {
    await tx.query(`delete from joint_shifts where run in (${finished})`);
    await tx.query(`delete from joint_staged where question in (select digest from joint_question where state <> 'asked' and run in (${finished}))`);
    const { rowCount } = await tx.query(`delete from joint_pad where (run, pad) in (select run, pad from joint_pad where run in (${finished}) limit $1)`, [max]);
    return rowCount ?? 0;
  });
}

/** The upload was another bundle: it goes, and the right one may come. */
export async function rejectBundle(tx: Tx, id: string): Promise<void> {
  await tx.query('delete from joint_pad where run = $1', [id]);
  await tx.query("update joint_run set public_key = null, received = 0, rejected = rejected + 1, state = 'honest' where id = $1", [id]);
}
