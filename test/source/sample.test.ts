import assert from 'node:assert/strict';
import { createReadStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readFigures } from '../../scripts/sample/figures.ts';
import { fillDomain } from '../../scripts/sample/fill.ts';
import { generateSample, sampleDatasets } from '../../scripts/sample/generate.ts';
import { loadSample } from '../../scripts/sample/load.ts';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import { fetchRows, type FetchedRows } from '../../src/source/fetch.ts';
import { loadRecords } from '../../src/source/ingest.ts';
import { prepareDomainTables } from '../../src/source/domain.ts';
import { isUscc } from '../../src/uscc.ts';
import type { Database } from '../../src/store/database.ts';
import type { DatasetId } from '../../src/vocabulary.ts';
import { freshDatabase } from '../support/database.ts';
import { clock, ref, shippedCatalogueFolder } from './support/fixtures.ts';

const catalogue = loadCatalogue(shippedCatalogueFolder);

describe('sample platform', () => {
  let database: Database;
  before(async () => {
    database = await freshDatabase();
    await prepareDomainTables(database, catalogue);
  });

  it('fills every dataset of the catalogue with records that pass every check', async () => {
    assert.deepEqual([...sampleDatasets].sort(), [...catalogue.datasets.keys()].sort());
    const reports = await loadSample(database, catalogue, { enterprises: 60, seed: 1, clock });
    for (const report of reports) {
      assert.deepEqual([report.outcome, report.rows.rejected], ['loaded', 0], report.dataset);
      assert.ok(report.rows.new > 0, report.dataset);
      assert.equal(report.timeliness?.share, 1, report.dataset);
      assert.ok(report.continuity === null || report.continuity.missing === 0, report.dataset);
    }
  });

  it('carries the real figures of the UCI set, nine digits each', async () => {
    const figures = readFigures();
    assert.equal(figures.length, 5807);
    assert.equal(figures.filter(({ bankrupt }) => bankrupt).length, 198);
    // "Debt ratio %" of the first, second and sixtieth enterprise as the set publishes it
    for (const [n, original] of [[0, '0.115609033'], [1, '0.115669498'], [59, '0.066723101']] as const) {
      const [answer] = (await fetchRows(database, catalogue, [{ subject: sampleSubject(n, 1), fields: [ref('financials.debt_ratio')], dataFrom: null, dataTo: null }])) as FetchedRows[];
      const stored = answer?.get('financials' as DatasetId)?.[0]?.read(ref('financials.debt_ratio'));
      assert.equal(stored, original);
    }
  });

  it('writes the same files for the same seed and others for another, and they load', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-sample-'));
    try {
      const write = async (name: string, seed: number) => {
        const files = await generateSample(catalogue, { enterprises: 15, seed, periods: 6, outFolder: path.join(folder, name) });
        return files.map((file) => readFileSync(file, 'utf8'));
      };
      const [first, again, other] = [await write('a', 5), await write('b', 5), await write('c', 6)];
      assert.deepEqual(again, first);
      assert.notDeepEqual(other, first);
      const stream = createReadStream(path.join(folder, 'a', 'owner.csv'));
      const report = await loadRecords(database, { catalogue, dataset: 'owner', supplier: 'market_regulation', format: 'csv', stream, errorLimit: 0, clock });
      assert.equal(report.outcome, 'loaded');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('gives every enterprise a valid code of its own that no real one can have', () => {
    const codes = Array.from({ length: 20_000 }, (_, n) => sampleSubject(n, 3));
    assert.equal(new Set(codes).size, codes.length);
    for (const code of codes) assert.ok(isUscc(code) && code.charAt(16) === 'Y', code);
  });

  it('fills tables for benchmarks under the same codes, values within the catalogue\'s ranges', async () => {
    const bench = await freshDatabase();
    await prepareDomainTables(bench, catalogue);
    await fillDomain(bench, catalogue, { enterprises: 500, seed: 9, periods: 3, datasets: [...catalogue.datasets.keys()] });
    for (const dataset of catalogue.datasets.values()) {
      const { rows } = await bench.query<{ subject: string }>(`select distinct subject from domain."${dataset.id}"`);
      assert.deepEqual(rows.map(({ subject }) => subject).sort(), Array.from({ length: 500 }, (_, n) => sampleSubject(n, 9)).sort(), dataset.id);
      for (const field of dataset.fields.filter(({ min, max }) => min !== undefined && max !== undefined)) {
        const outside = await bench.query(`select 1 from domain."${dataset.id}" where "${field.name}" not between $1 and $2`, [field.min, field.max]);
        assert.equal(outside.rowCount, 0, field.ref);
      }
      const key = await bench.query("select 1 from pg_constraint where contype = 'p' and conrelid = $1::regclass", [`domain."${dataset.id}"`]);
      assert.equal(key.rowCount, 1, dataset.id);
    }
    const [answer] = (await fetchRows(bench, catalogue, [{ subject: sampleSubject(499, 9), fields: [ref('tax.period')], dataFrom: null, dataTo: null }])) as FetchedRows[];
    assert.equal(answer?.get('tax' as DatasetId)?.length, 3);
  });
});
