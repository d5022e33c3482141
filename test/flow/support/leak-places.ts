/** What must not get out, and the places it could get to: the keys folder, the tables, what a process prints. */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Database } from '../../../src/store/database.ts';
import type { TestPlatform } from '../../support/gateway.ts';
import type { Canary } from './canaries.ts';

/** Private keys and secrets of the platform, as its files hold them. */
export function secretsOf(platform: TestPlatform): readonly Canary[] {
  const keys = path.join(platform.folder, 'keys');
  return readdirSync(keys).filter((name) => name.endsWith('.json')).flatMap((name) => {
    const { keys: stored } = JSON.parse(readFileSync(path.join(keys, name), 'utf8')) as { keys: readonly { d?: string; k?: string }[] };
    return stored.flatMap(({ d, k }) => [d, k]).filter((text) => text !== undefined).map((text) => ({ name, text }));
  });
}

/** Every row of every table of a schema as text, and what is in columns of bytes as the bytes they are. */
export async function dumpOf(database: Database, schema: 'public' | 'domain'): Promise<Buffer> {
  const { rows: tables } = await database.query<{ name: string }>('select quote_ident(schemaname) || \'.\' || quote_ident(tablename) as name from pg_tables where schemaname = $1', [schema]);
  const parts = await Promise.all(tables.map(async ({ name }) => (await database.query<{ text: string }>(`select t::text as text from ${name} t`)).rows.map(({ text }) => text).join('\n')));
  const { rows: columns } = await database.query<{ table: string; column: string }>(
    "select quote_ident(table_schema) || '.' || quote_ident(table_name) as table, quote_ident(column_name) as column from information_schema.columns where table_schema = $1 and data_type = 'bytea'", [schema]);
  const blobs = await Promise.all(columns.map(async ({ table, column }) => (await database.query<{ blob: Buffer | null }>(`select ${column} as blob from ${table}`)).rows.map(({ blob }) => blob ?? Buffer.alloc(0))));
  return Buffer.concat([Buffer.from(parts.join('\n')), ...blobs.flat().flatMap((blob) => [Buffer.from('\n'), blob])]);
}

/** What this process prints meanwhile, mocha's own lines included. */
export function listenToOutput(into: Buffer[]): () => void {
  const streams = [process.stdout, process.stderr];
  const originals = streams.map((stream) => stream.write.bind(stream));
  streams.forEach((stream, at) => {
    stream.write = ((chunk: string | Uint8Array, ...rest: []) => {
      into.push(Buffer.from(chunk as string));
      return (originals[at] as typeof stream.write)(chunk, ...rest);
    }) as typeof stream.write;
  });
  return () => streams.forEach((stream, at) => { stream.write = originals[at] as typeof stream.write; });
}
