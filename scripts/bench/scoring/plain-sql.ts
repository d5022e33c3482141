import pg from 'pg';
import type { Feature, Model } from '../../../src/scoring/protocol.ts';
import { slotsPerBlock } from '../../../src/scoring/feature/positions.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { syntheticColumn } from '../../sample/features.ts';
import { sampleSubject } from '../../sample/subjects.ts';
import { seed } from '../load/platform.ts';

/** The same integers as plain columns of one table, a row for each enterprise: what a platform without sealed scoring has. */
export async function fillPlain(url: string, features: readonly Feature[], enterprises: number): Promise<void> {
  const database = openDatabase({ url: `${url}?options=-c%20synchronous_commit%3Doff`, maxConnections: 1 });
  const names = features.map((_, at) => `f${at}`);
  await database.query(`create table bench_plain (subject text not null, ${names.map((name) => `${name} integer not null`).join(', ')})`);
  for (let block = 0; block * slotsPerBlock < enterprises; block += 1) {
    const rows = Math.min(slotsPerBlock, enterprises - block * slotsPerBlock);
    const subjects = Array.from({ length: rows }, (_, slot) => sampleSubject(block * slotsPerBlock + slot, seed));
    const columns = features.map((feature) => `{${syntheticColumn(feature, block, seed).subarray(0, rows).join()}}`);
    await database.query({
      name: 'bench plain', text: `insert into bench_plain select * from unnest($1::text[], ${columns.map((_, at) => `$${at + 2}::integer[]`).join(', ')})`, values: [subjects, ...columns],
    });
  }
  await database.query('vacuum (analyze) bench_plain');
  await database.query('checkpoint');
  await database.close();
}

export type PlainResult = { readonly seconds: number; readonly raw: Int32Array };

/** Code and sum of every enterprise, all read by the client: a connection that stands, pg's ordinary driver, rows as arrays. */
export async function plainScores(url: string, { terms, offset }: Model, enterprises: number): Promise<PlainResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const sum = terms.map(({ weight }, at) => `${weight} * f${at}`).join(' + ');
    const startMs = performance.now();
    const { rows } = await client.query<[string, number]>({ text: `select subject, ${offset} + ${sum} as raw from bench_plain limit ${enterprises}`, rowMode: 'array' });
    const seconds = (performance.now() - startMs) / 1000;
    if (rows.length !== enterprises) throw new Error(`${rows.length} rows came`);
    const numbers = new Map(Array.from({ length: enterprises }, (_, n) => [sampleSubject(n, seed) as string, n]));
    const raw = new Int32Array(enterprises);
    for (const [subject, value] of rows) raw[numbers.get(subject) as number] = value;
    return { seconds, raw };
  } finally {
    await client.end();
  }
}

/** The sum alone, inside the server, with no result but one number: the least anything over these rows can take. */
export async function plainSumSeconds(url: string, { terms, offset }: Model): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const startMs = performance.now();
    await client.query(`select sum(${offset} + ${terms.map(({ weight }, at) => `${weight} * f${at}`).join(' + ')}) from bench_plain`);
    return (performance.now() - startMs) / 1000;
  } finally {
    await client.end();
  }
}
