import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { toHex } from '../../src/audit/bytes.ts';
import { commitmentOf, fieldOutcomes, grantCreated, recordHead } from '../../src/audit/entry.ts';
import { canonicalJson } from '../../src/canonical.ts';
import type { FieldDecision, FieldRef, GrantId, GrantTerms, IsoDate, PurposeCode, TimeMs } from '../../src/vocabulary.ts';
import { bank, digest, released, startMs, subject } from './support/log.ts';

describe('entry', () => {
  it('commits to the salt and the canonical text of the record', async () => {
    const [record, salt] = [released(), randomBytes(32)];
    const expected = createHash('sha256').update(salt).update(canonicalJson(record)).digest('hex');
    assert.equal(toHex(await commitmentOf(record, salt)), expected);
    const reordered = Object.fromEntries(Object.entries(record).reverse());
    assert.equal(toHex(await commitmentOf(reordered, salt)), expected);
    assert.notEqual(toHex(await commitmentOf(record, randomBytes(32))), expected);
    assert.notEqual(toHex(await commitmentOf(released({ grant: 'BBBBBBBBBBBBBBBBBBBBBB' as GrantId }), salt)), expected);
  });

  it('groups fields that were decided alike and loses none', () => {
    const decision = (field: string, disposition: FieldDecision['disposition'], reason: FieldDecision['reason'] = 'permitted'): FieldDecision => ({
      field: field as FieldRef, use: 'read', disposition, reason, rule: 'a', path: ['rules', 'a'],
    });
    assert.deepEqual(fieldOutcomes([decision('a.x', 'mask'), decision('a.y', 'clear'), decision('b.x', 'mask'), decision('b.y', 'withhold', 'not_consented')]), [
      { use: 'read', disposition: 'mask', reason: 'permitted', fields: ['a.x', 'b.x'] },
      { use: 'read', disposition: 'clear', reason: 'permitted', fields: ['a.y'] },
      { use: 'read', disposition: 'withhold', reason: 'not_consented', fields: ['b.y'] },
    ]);
  });

  it('writes down what a grant allows', () => {
    const terms: GrantTerms = {
      subject, institution: bank, purpose: 'pre_loan_review' as PurposeCode,
      fields: new Map([['a.x', 'desensitised'], ['a.y', 'original'], ['a.z', 'desensitised']] as [FieldRef, 'original' | 'desensitised'][]),
      dataFrom: '2024-01-01' as IsoDate, dataTo: null, validFromMs: startMs, validUntilMs: (startMs + 86_400_000) as TimeMs,
      kind: 'periodic', usesMax: 3, frequency: { max: 1, per: 'day' }, dataLifeDays: 30,
    };
    assert.deepEqual(grantCreated(recordHead('grant.created', startMs, bank), 'AAAAAAAAAAAAAAAAAAAAAA' as GrantId, terms, 'browser', digest('notice')), {
      v: 1, kind: 'grant.created', at: '2026-01-02T03:04:05.678Z', actor: 'bank-a', grant: 'AAAAAAAAAAAAAAAAAAAAAA', subject, institution: 'bank-a',
      purpose: 'pre_loan_review', origin: 'browser',
      fields: [{ ceiling: 'original', fields: ['a.y'] }, { ceiling: 'desensitised', fields: ['a.x', 'a.z'] }],
      dataFrom: '2024-01-01', dataTo: null, validFrom: '2026-01-02T03:04:05.678Z', validUntil: '2026-01-03T03:04:05.678Z',
      usesMax: 3, frequency: { max: 1, per: 'day' }, dataLifeDays: 30, notice: digest('notice'),
    });
  });
});
