import { strict as assert } from 'node:assert';
import { factsOf } from '../../src/console/enterprise/entry-facts.ts';

describe('what the enterprise\'s pages take of an entry', () => {
  const entry = { index: 7, commitment: 'c', at: '2026-01-31T08:00:00.000Z', actor: 'bank-a', institution: 'bank-a', salt: null };

  it('is marked as disputed by the record, or beside it where the record names nobody', () => {
    const single = factsOf({ ...entry, kind: 'score.released', record: { kind: 'score.released', disputed: ['tax.revenue_cents'] } });
    const among = factsOf({ ...entry, kind: 'scores.released', record: { kind: 'scores.released', model: 'm@1' }, disputed: ['tax.revenue_cents'] });
    const unmarked = factsOf({ ...entry, kind: 'scores.released', record: { kind: 'scores.released', model: 'm@1' } });
    assert.deepEqual([single, among, unmarked].map(({ disputed }) => disputed), [['tax.revenue_cents'], ['tax.revenue_cents'], []]);
    assert.ok(among.isAccess);
  });
});
