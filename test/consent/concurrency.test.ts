import { strict as assert } from 'node:assert';
import { fixedClock } from '../../src/clock.ts';
import { consumeGrants, type GrantUse } from '../../src/consent/consume.ts';
import { expireGrants } from '../../src/consent/expire.ts';
import { changeGrant, readGrant } from '../../src/consent/grants.ts';
import { openDatabase, type Database } from '../../src/store/database.ts';
import { freshDatabase } from '../support/database.ts';
import type { Grant } from '../../src/vocabulary.ts';
import { bank, codeOf, ref, start, startMs, stored, subjectOf } from './sample.ts';

const clock = fixedClock(start);

describe('consent under concurrency', () => {
  let database: Database;
  /** Pools of their own, as nodes of their own would have. */
  let nodes: Database[];
  before(async () => {
    database = await freshDatabase({ maxConnections: 10 });
    nodes = Array.from({ length: 5 }, () => openDatabase({ url: database.url, maxConnections: 4 }));
  });
  after(async () => { await Promise.all(nodes.map((node) => node.close())); });

  const use = (grant: Grant, changes: Partial<GrantUse> = {}): GrantUse => ({ grant: grant.id, institution: bank, atMs: startMs, verifications: [], verificationLimit: 3, ...changes });
  const consume = (at: number, ...uses: GrantUse[]) => (nodes[at % nodes.length] as Database).transaction('t', (tx) => consumeGrants(tx, uses));
  const tally = (results: readonly unknown[]) => {
    const counts: Record<string, number> = {};
    for (const result of results) counts[codeOf(result)] = (counts[codeOf(result)] ?? 0) + 1;
    return counts;
  };

  it('lets exactly N of 50 consumers use a grant of N uses', async () => {
    const grant = await stored(database, { usesMax: 17 });
    const results = await Promise.all(Array.from({ length: 50 }, (_, at) => consume(at, use(grant))));
    assert.deepEqual(tally(results.flat()), { ok: 17, CONSENT_EXHAUSTED: 33 });
    const numbers = results.flat().flatMap((result) => (result instanceof Error ? [] : [result.useNumber])).sort((x, y) => x - y);
    assert.deepEqual(numbers, Array.from({ length: 17 }, (_, at) => at + 1));
    assert.equal((await readGrant(database, grant.id, { institution: bank }, startMs)).usesTotal, 17);
  });

  it('lets exactly as many through as the frequency allows', async () => {
    const grant = await stored(database, { usesMax: null, frequency: { max: 9, per: 'day' } });
    const results = await Promise.all(Array.from({ length: 50 }, (_, at) => consume(at, use(grant))));
    assert.deepEqual(tally(results.flat()), { ok: 9, CONSENT_FREQUENCY_EXCEEDED: 41 });
  });

  it('counts verification attempts over different grants of one institution', async () => {
    const of = subjectOf(9001);
    const grants = await Promise.all(Array.from({ length: 10 }, () => stored(database, { subject: of })));
    const results = await Promise.all(Array.from({ length: 50 }, (_, at) => consume(at, use(grants[at % 10] as Grant, { verifications: [ref('tax.a')], verificationLimit: 4 }))));
    assert.deepEqual(tally(results.flat()), { ok: 4, QUERY_ATTEMPTS_EXHAUSTED: 46 });
  });

  it('never deadlocks over batches that name the same grants and fields in other orders', async () => {
    const grants = await Promise.all(Array.from({ length: 8 }, (_, at) => stored(database, { subject: subjectOf(9100 + (at % 3)), usesMax: 10_000 })));
    const fields = ['tax.a', 'tax.b', 'tax.c'].map(ref);
    const results = await Promise.all(Array.from({ length: 60 }, (_, at) => {
      const order = grants.map((grant, position) => ({ grant, key: (position * 7 + at * 5) % 8 })).sort((x, y) => x.key - y.key);
      return consume(at, ...order.map(({ grant }, position) => use(grant, { verifications: [fields[(at + position) % 3] as never, fields[at % 3] as never], verificationLimit: 100_000 })));
    }));
    assert.deepEqual(tally(results.flat()), { ok: 480 });
  });

  it('never deadlocks over grants that share counters, named in other orders', async () => {
    const of = subjectOf(9150);
    const [first, second, third] = [await stored(database, { subject: of }), await stored(database, { subject: of }), await stored(database, { subject: of })];
    const fields = ['tax.a', 'tax.m', 'tax.z'].map(ref);
    let others: Promise<unknown[][]> = Promise.resolve([]);
    // while one transaction holds the counter in the middle, two come from both ends: only the same order for all saves them
    await database.transaction('hold', async (tx) => {
      await consumeGrants(tx, [use(first, { verifications: [ref('tax.m')] })]);
      others = Promise.all([consume(0, use(second, { verifications: fields })), consume(1, use(third, { verifications: [...fields].reverse() }))]);
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    assert.deepEqual(tally((await others).flat()), { ok: 2 });
  });

  it('lets no use through once a revocation has committed', async () => {
    for (let round = 0; round < 10; round += 1) {
      const grant = await stored(database, { usesMax: 100_000 });
      let revoked = false;
      let wrong = 0;
      let through = 0;
      let going = true;
      const consumer = async (at: number) => {
        while (going) {
          const startedAfter = revoked;
          const [result] = await consume(at, use(grant));
          if (!(result instanceof Error)) {
            through += 1;
            if (startedAfter) wrong += 1;
          } else if (startedAfter) return;
        }
      };
      const consumers = Array.from({ length: 10 }, (_, at) => consumer(at));
      while (through < 5) await new Promise(setImmediate);
      const atRevocation = await database.transaction('revoke', async (tx) => {
        const { grant: after } = await changeGrant(tx, { grant: grant.id, actor: { subject: grant.subject }, action: 'revoke' }, clock);
        return after.usesTotal;
      });
      revoked = true;
      await Promise.all(consumers);
      going = false;
      assert.equal(wrong, 0);
      // stronger: what the revocation saw under its lock is all there ever was
      assert.equal((await readGrant(database, grant.id, { institution: bank }, startMs)).usesTotal, atRevocation);
    }
  });

  it('makes a use wait for a revocation under way, and then fail', async () => {
    const grant = await stored(database);
    let waiting: Promise<unknown> = Promise.resolve();
    await database.transaction('revoke', async (tx) => {
      await changeGrant(tx, { grant: grant.id, actor: { subject: grant.subject }, action: 'revoke' }, clock);
      waiting = consume(0, use(grant));
      const first = await Promise.race([waiting.then(() => 'answered'), new Promise((resolve) => setTimeout(() => resolve('waits'), 50))]);
      assert.equal(first, 'waits');
    });
    assert.deepEqual(((await waiting) as unknown[]).map(codeOf), ['CONSENT_REVOKED']);
  });

  it('lets one of many changes of the same kind win', async () => {
    const grant = await stored(database);
    const results = await Promise.all(Array.from({ length: 10 }, (_, at) =>
      (nodes[at % nodes.length] as Database).transaction('t', (tx) => changeGrant(tx, { grant: grant.id, actor: { subject: grant.subject }, action: 'pause' }, clock)).catch((error: unknown) => error)));
    assert.deepEqual(tally(results), { ok: 1, CONSENT_STATE_CONFLICT: 9 });
  });

  it('marks each expired grant once, whoever does the housekeeping', async () => {
    const grants = await Promise.all(Array.from({ length: 20 }, (_, at) => stored(database, { subject: subjectOf(9200 + at), validFromMs: startMs, validUntilMs: (startMs + 1000) as never })));
    const marked = (await Promise.all(nodes.map((node) => node.transaction('expire', (tx) => expireGrants(tx, (startMs + 1000) as never))))).flat();
    assert.deepEqual(marked.map(({ grant }) => grant).sort(), grants.map(({ id }) => id).sort());
  });
});
