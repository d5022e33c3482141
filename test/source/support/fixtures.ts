import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { fixedClock } from '../../../src/clock.ts';
import { loadCatalogue } from '../../../src/source/catalogue.ts';
import { prepareDomainTables } from '../../../src/source/domain.ts';
import { loadRecords, type LoadOptions } from '../../../src/source/ingest.ts';
import type { QualityReport } from '../../../src/source/quality.ts';
import { usccCheckDigit } from '../../../src/uscc.ts';
import type { Database } from '../../../src/store/database.ts';
import type { Catalogue, FieldRef, SubjectId } from '../../../src/vocabulary.ts';

export const shippedCatalogueFolder = path.join(import.meta.dirname, '../../../policies/catalogue');
export const clock = fixedClock('2026-11-15T08:00:00Z');

/** A catalogue out of YAML texts by file name; the folder is gone afterwards. */
export function catalogueOf(files: Readonly<Record<string, string>>): Catalogue {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-catalogue-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
    return loadCatalogue(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** One field of every type; the smallest dataset that has everything. */
export const thingYaml = `dataset: thing
title: { en: Thing, zh: 物 }
department: depot
cardinality: { kind: many, recordField: thing_no, periodField: made_on }
freshnessDays: 30
fields:
  thing_no:
    title: { en: Number, zh: 号 }
    type: integer
    classification: { level: 1, kind: public }
    required: true
    min: 1
    max: 1000000
  made_on:
    title: { en: Made on, zh: 日期 }
    type: date
    classification: { level: 1, kind: public }
    required: true
  label:
    title: { en: "Label 'as' \\"is\\"; --", zh: 标签 }
    type: text
    classification: { level: 4, kind: personal }
    maxLength: 60
  colour:
    title: { en: Colour, zh: 颜色 }
    type: code
    classification: { level: 2, kind: commercial_secret }
    codes: { red: Red, green: Green }
  weight:
    title: { en: Weight, zh: 重量 }
    type: decimal
    classification: { level: 3, kind: commercial_secret }
    unit: kg
    scale: 3
    min: -1000000
    max: 1000000000000
  price_cents:
    title: { en: Price, zh: 价格 }
    type: integer
    classification: { level: 3, kind: commercial_secret }
    unit: CNY cent
    min: -9007199254740991
    max: 9007199254740991
  broken:
    title: { en: Broken, zh: 损坏 }
    type: boolean
    classification: { level: 1, kind: public }
`;

export const thingColumns = ['subject', 'thing_no', 'made_on', 'label', 'colour', 'weight', 'price_cents', 'broken'] as const;

export function ref(text: string): FieldRef {
  return text as FieldRef;
}

/** A valid credit code for each whole number below 10^8. */
export function subject(n: number): SubjectId {
  const first17 = `91330106MA${String(n).padStart(6, '0')}Y`.slice(0, 17);
  return `${first17}${usccCheckDigit(first17)}` as SubjectId;
}

export function bytes(...parts: readonly (string | Buffer)[]): Readable {
  return Readable.from(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)), { objectMode: false });
}

/** The department's own load of `thing`, CSV, all or nothing, unless told otherwise. */
export function loadThings(database: Database, catalogue: Catalogue, stream: Readable, options: Partial<LoadOptions> = {}): Promise<QualityReport> {
  return loadRecords(database, { catalogue, dataset: 'thing', supplier: 'depot', format: 'csv', stream, errorLimit: 0, clock, ...options });
}

export async function prepared(database: Database, catalogue: Catalogue): Promise<Database> {
  await prepareDomainTables(database, catalogue);
  return database;
}

export async function thingsStored(database: Database): Promise<number> {
  const { rows } = await database.query<{ count: number }>('select count(*) as count from domain.thing');
  return rows[0]?.count ?? -1;
}
