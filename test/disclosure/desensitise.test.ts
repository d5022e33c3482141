import assert from 'node:assert/strict';
import type { DatasetId, Decision, DecisionReason, Disposition, FieldDecision, FieldRef, InstitutionClass, PartyId, PolicyVersion, PurposeCode, Treatment, Use, Value } from '../../src/vocabulary.ts';
import { RawRow } from '../../src/vocabulary.ts';
import { createTokenKeys } from '../../src/disclosure/tokens.ts';
import { desensitise } from '../../src/disclosure/desensitise.ts';

const tokenKeys = createTokenKeys({ secrets: new Map([[1, Uint8Array.from({ length: 32 }, (_, at) => at)]]), currentVersion: 1 });
const context = { institution: 'bank-a' as PartyId, tokenKeys };

type Told = { use?: Use; reason?: DecisionReason; treatment?: Treatment };
function told(field: string, disposition: Disposition, { use = 'read', reason = 'permitted', treatment }: Told = {}): FieldDecision {
  return { field: field as FieldRef, use, disposition, reason, rule: 'a-rule', path: ['owner.yaml'], ...(treatment === undefined ? {} : { treatment }) };
}
function decisionOf(...fields: FieldDecision[]): Decision {
  return { policy: 'f'.repeat(64) as PolicyVersion, purpose: 'pre_loan_review' as PurposeCode, institutionClass: 'commercial_bank' as InstitutionClass, fields };
}
const row = (values: Record<string, Value>) => new RawRow(new Map(Object.entries(values) as [FieldRef, Value][]));
const fetched = (rows: Record<string, RawRow[]>) => new Map(Object.entries(rows) as [DatasetId, RawRow[]][]);

const owner = fetched({
  owner: [
    row({ 'owner.name': '王小明', 'owner.identity_number': '11010519491231002X', 'owner.share_percent': '33.0000', 'owner.phone': '13812345678' }),
    row({ 'owner.name': '欧阳娜娜', 'owner.identity_number': null, 'owner.share_percent': '67.0000', 'owner.phone': null }),
  ],
});

describe('desensitise', () => {
  it('follows a decision as it stands now, and makes tokens for whom the answer goes to, also when the decision comes again', () => {
    const changing = decisionOf(told('owner.name', 'mask', { treatment: { method: 'chinese_name' } }));
    desensitise(changing, owner, context);
    (changing.fields as FieldDecision[])[0] = told('owner.name', 'withhold', { reason: 'denied_by_rule' });
    assert.deepEqual(desensitise(changing, owner, context).rows, {});

    const fixed = Object.freeze(decisionOf(Object.freeze(told('owner.phone', 'token', { treatment: { method: 'token' } }))));
    Object.freeze(fixed.fields);
    const tokenOf = (institution: string) => JSON.stringify(desensitise(fixed, owner, { institution: institution as PartyId, tokenKeys }).rows['owner']?.[0]);
    assert.equal(tokenOf('bank-a'), tokenOf('bank-a'));
    assert.notEqual(tokenOf('bank-a'), tokenOf('bank-b'));
  });

  it('does to each field what the decision says', () => {
    const decision = decisionOf(
      told('owner.name', 'mask', { treatment: { method: 'chinese_name' } }),
      told('owner.share_percent', 'band', { treatment: { method: 'band', edges: [25, 50] } }),
      told('owner.identity_number', 'clear'),
    );
    assert.deepEqual(desensitise(decision, owner, context), {
      rows: {
        owner: [
          { name: { kind: 'masked', value: '王**' }, share_percent: { kind: 'banded', from: 25, to: 50 }, identity_number: { kind: 'sealed' } },
          { name: { kind: 'masked', value: '欧阳**' }, share_percent: { kind: 'banded', from: 50, to: null }, identity_number: { kind: 'sealed' } },
        ],
      },
      clear: { owner: [{ identity_number: '11010519491231002X' }, { identity_number: null }] },
    });
  });

  it('makes tokens for the institution that asks, and absent where there is no value', () => {
    const decision = decisionOf(told('owner.phone', 'token', { treatment: { method: 'token' } }));
    const shown = (institution: string) => desensitise(decision, owner, { institution: institution as PartyId, tokenKeys }).rows['owner']?.map((each) => each['phone']);
    assert.deepEqual(shown('bank-a'), [
      { kind: 'token', value: tokenKeys.forField({ institution: 'bank-a' as PartyId, purpose: decision.purpose, field: 'owner.phone' as FieldRef }).token('13812345678') },
      { kind: 'absent' },
    ]);
    assert.notDeepEqual(shown('bank-a'), shown('bank-b'));
  });

  it('leaves out what may not be read, though it was fetched', () => {
    const decision = decisionOf(
      told('owner.name', 'withhold', { reason: 'not_consented' }), told('owner.phone', 'verify', { use: 'verify' }), told('owner.share_percent', 'score', { use: 'score' }),
    );
    assert.deepEqual(desensitise(decision, owner, context), { rows: {}, clear: {} });
    assert.deepEqual(desensitise(decisionOf(), owner, context), { rows: {}, clear: {} });
  });

  it('leaves out what a broken decision opens without permission or by a disposition that is no answer', () => {
    const decision = decisionOf(
      told('owner.name', 'clear', { reason: 'not_consented' }), told('owner.phone', 'clear', { use: 'verify' }),
      told('owner.share_percent', 'aggregate'), told('owner.identity_number', 'unheard_of' as Disposition),
    );
    assert.deepEqual(desensitise(decision, owner, context), { rows: {}, clear: {} });
  });

  it('suppresses where the treatment is missing or makes no tokens for a token field', () => {
    const decision = decisionOf(told('owner.name', 'mask'), told('owner.phone', 'token', { treatment: { method: 'clamp', bottom: 0, top: 9e9 } }), told('owner.share_percent', 'band'));
    const hidden = { kind: 'masked', value: null };
    assert.deepEqual(desensitise(decision, owner, context).rows['owner']?.[0], { name: hidden, phone: hidden, share_percent: hidden });
  });

  it('follows neither of two decisions about one field', () => {
    const mask = told('owner.name', 'mask', { treatment: { method: 'chinese_name' } });
    for (const decision of [decisionOf(mask, told('owner.name', 'clear')), decisionOf(told('owner.name', 'clear'), mask), decisionOf(told('owner.name', 'clear'), told('owner.name', 'clear'))]) {
      const { rows, clear } = desensitise(decision, owner, context);
      assert.deepEqual(rows['owner']?.[0], { name: { kind: 'masked', value: null } });
      assert.deepEqual(clear, {});
    }
  });

  it('keeps the datasets apart and gives an empty list where there are no rows', () => {
    const decision = decisionOf(told('owner.name', 'clear'), told('tax.paid_cents', 'mask', { treatment: { method: 'round', to: 100_000 } }), told('customs.name', 'clear'));
    const rows = new Map([...owner, ...fetched({ tax: [row({ 'tax.paid_cents': 1_234_567 })] })]);
    const result = desensitise(decision, rows, context);
    assert.deepEqual(result.rows['tax'], [{ paid_cents: { kind: 'masked', value: 1_200_000 } }]);
    assert.deepEqual(result.rows['customs'], []);
    assert.deepEqual(result.clear, { owner: [{ name: '王小明' }, { name: '欧阳娜娜' }], customs: [] });
  });

  it('shows nothing for a field that was not fetched', () => {
    const decision = decisionOf(told('owner.role', 'mask', { treatment: { method: 'keep_ends', first: 1, last: 1 } }), told('owner.email', 'clear'));
    const result = desensitise(decision, owner, context);
    assert.deepEqual(result.rows['owner']?.[0], { role: { kind: 'absent' }, email: { kind: 'sealed' } });
    assert.deepEqual(result.clear['owner']?.[0], { email: null });
  });

  it('lets no canary of a 20-field row out but through the sealed part', () => {
    const canary = (at: number) => `CANARY${at}秘密值机密数据甲乙丙丁`;
    const treatments: Treatment[] = [
      { method: 'suppress' }, { method: 'fixed', text: 'hidden' }, { method: 'class_preserving' }, { method: 'email' }, { method: 'phone' },
      { method: 'identity_number' }, { method: 'chinese_name' }, { method: 'address', level: 'district' }, { method: 'bank_account' }, { method: 'token' },
      { method: 'format_preserving_token', alphabet: 'alphanumeric' }, { method: 'band', edges: [1] }, { method: 'generalise', groups: { a: 'b' }, otherwise: 'c' },
      { method: 'round', to: 10 }, { method: 'year' }, { method: 'clamp', bottom: 1, top: 2 }, { method: 'keep_ends', first: 8, last: 8 }, { method: 'mask_range', from: 6, to: 20 },
    ];
    const fields = treatments.map((treatment, at) => told(`owner.f${at}`, treatment.method.includes('token') ? 'token' : 'mask', { treatment }));
    const decision = decisionOf(...fields, told('owner.f18', 'withhold'), told('owner.f19', 'clear'));
    const rows = fetched({ owner: [row(Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`owner.f${at}`, canary(at)])))] });
    const result = desensitise(decision, rows, context);
    assert.equal(Object.keys(result.rows['owner']?.[0] ?? {}).length, 19);
    for (const part of ['秘密', '机密', '数据']) assert.ok(!JSON.stringify(result.rows).includes(part));
    assert.deepEqual(result.clear, { owner: [{ f19: canary(19) }] });
  });
});
