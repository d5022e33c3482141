import { strict as assert } from 'node:assert';
import { exploreLog, lookedAtMax, pageMax, type FactFilter } from '../../src/audit/explore.ts';
import type { Database } from '../../src/store/database.ts';
import type { TimeMs } from '../../src/vocabulary.ts';
import { freshDatabase } from '../support/database.ts';

const startMs = Date.parse('2026-01-01T00:00:00Z');
/** One entry a minute, by turns of bank-0 to bank-2 for seven purposes; one in ten thousand is refused with a code of its own. */
async function fill(database: Database, size: number): Promise<void> {
  await database.query(
    `insert into audit_entry (index, commitment, kind, at, actor) select n, sha256(n::text::bytea), case when n % 10000 = 5 then 'query.refused' else 'query.released' end, $2::timestamptz + n * interval '1 minute', 'bank-' || n % 3
     from generate_series(0, $1 - 1) as n`, [size, new Date(startMs)]);
  await database.query(
    `insert into audit_fact (index, at, kind, actor, institution, purpose, outcome, code, policy, datasets)
     select index, at, kind, actor, actor, 'purpose_' || index % 7, split_part(kind, '.', 2), case when kind = 'query.refused' then 'CONSENT_REQUIRED' end, 'p', array['tax'] from audit_entry`);
  await database.query("insert into audit_hour (hour, first, last) select date_trunc('hour', at), min(index), max(index) from audit_fact group by 1");
  await database.query('analyze audit_fact');
}

describe('explore', function () {
  this.timeout(120_000);
  let small: Database;
  let large: Database;
  const sizes = { small: 25_000, large: 100_000 };
  before(async () => {
    [small, large] = [await freshDatabase({ maxConnections: 2 }), await freshDatabase({ maxConnections: 2 })];
    await Promise.all([fill(small, sizes.small), fill(large, sizes.large)]);
  });

  const minute = (n: number) => (startMs + n * 60_000) as TimeMs;
  const filters: Readonly<Record<string, FactFilter>> = {
    'anything': {},
    'a rare code': { code: 'CONSENT_REQUIRED' },
    'an institution and a purpose': { institution: 'bank-2', purpose: 'purpose_1' },
    'an hour long ago': { fromMs: minute(6000), untilMs: minute(6060) },
    'a kind that is not there': { kinds: ['grant.created'] },
    'what never comes together': { institution: 'bank-1', outcome: 'refused', dataset: 'customs' },
    'a dataset nobody asked for': { dataset: 'customs' },
  };

  for (const [name, filter] of Object.entries(filters)) {
    it(`costs as much in a long log as in a short one: ${name}`, async () => {
      const rowsOf = async (database: Database) => {
        let rows = 0;
        const watched: Database = { ...database, query: async (text: never, values: never) => {
          const { rows: plan } = await database.query<{ 'QUERY PLAN': readonly [{ readonly Plan: Plan }] }>(`explain (analyze, format json) ${text as string}`, values);
          rows += rowsRead(plan[0]!['QUERY PLAN'][0].Plan);
          return database.query(text, values);
        } };
        await exploreLog(watched, filter, { limit: 50 });
        return rows;
      };
      const [few, many] = [await rowsOf(small), await rowsOf(large)];
      assert.ok(many <= 2 * lookedAtMax + 500, `${many} rows were read`);
      assert.ok(many <= few + 500, `${few} rows of ${sizes.small} entries, ${many} of ${sizes.large}`);
    });

    it(`finds all of it and nothing else, page after page: ${name}`, async () => {
      const found: number[] = [];
      for (let before: number | undefined, pages = 0; pages < 3000; pages += 1) {
        const { entries, next } = await exploreLog(small, filter, { limit: pageMax, ...(before === undefined ? {} : { before }) });
        found.push(...entries.map(({ index }) => index));
        if (next === null) break;
        assert.ok(before === undefined || next < before);
        before = next;
      }
      const { rows } = await small.query<{ index: number }>('select index from audit_fact order by index desc');
      const fits = (n: number) => (filter.code === undefined || n % 10_000 === 5) && (filter.institution === undefined || `bank-${n % 3}` === filter.institution) && (filter.purpose === undefined || `purpose_${n % 7}` === filter.purpose)
        && (filter.fromMs === undefined || minute(n) >= filter.fromMs) && (filter.untilMs === undefined || minute(n) < filter.untilMs)
        && (filter.kinds === undefined || filter.kinds.includes(n % 10_000 === 5 ? 'query.refused' : 'query.released')) && filter.dataset === undefined;
      assert.deepEqual(found, rows.map(({ index }) => index).filter(fits));
    });
  }

  it('stays within the indices that are asked for', async () => {
    const { entries } = await exploreLog(small, { first: 100, last: 105 }, { limit: 50, before: 104 });
    assert.deepEqual(entries.map(({ index }) => index), [103, 102, 101, 100]);
  });

  it('finds an entry whose clock was wrong at its own time, and hides no other behind it', async () => {
    const database = await freshDatabase({ maxConnections: 1 });
    await fill(database, 100);
    await database.query("update audit_fact set at = '2020-01-01' where index = 99");
    await database.query("insert into audit_hour values ('2020-01-01', 99, 99)");
    assert.deepEqual((await exploreLog(database, { fromMs: minute(95) }, { limit: 9 })).entries.map(({ index }) => index), [98, 97, 96, 95]);
    assert.deepEqual((await exploreLog(database, { untilMs: Date.parse('2021-01-01') as TimeMs }, { limit: 9 })).entries.map(({ index }) => index), [99]);
  });

  it('refuses pages and indices that are none', async () => {
    for (const limit of [0, pageMax + 1, 1.5]) await assert.rejects(exploreLog(small, {}, { limit }), { code: 'AUDIT_RANGE_INVALID' });
    await assert.rejects(exploreLog(small, { first: 0.5 }, { limit: 1 }), { code: 'AUDIT_RANGE_INVALID' });
  });
});

type Plan = { readonly 'Node Type': string; readonly 'Relation Name'?: string; readonly 'Actual Rows': number; readonly 'Actual Loops': number; readonly 'Rows Removed by Filter'?: number; readonly Plans?: readonly Plan[] };

/** Rows that scans of tables gave or threw away; there are few hours, however many entries. */
function rowsRead(plan: Plan): number {
  const own = plan['Relation Name'] !== undefined && plan['Relation Name'] !== 'audit_hour' ? (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'] : 0;
  return own + (plan.Plans ?? []).reduce((sum, part) => sum + rowsRead(part), 0);
}
