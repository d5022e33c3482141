import { strict as assert } from 'node:assert';
import path from 'node:path';
import { isVeilgateError } from '../../src/errors.ts';
import { diffPolicies } from '../../src/policy/diff.ts';
import { replay, type PastAsking } from '../../src/policy/replay.ts';
import { exemptionsOf } from '../../src/policy/store/exemptions.ts';
import { changedPack, compilePack, packDifference, packDigest, packText, readPack, testPack, type Pack } from '../../src/policy/store/pack.ts';
import { closingRule, withheldFiles, type Closing } from '../../src/policy/store/withhold-rules.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import type { FieldRef, InstitutionClass, PurposeCode } from '../../src/vocabulary.ts';
import { root } from '../support/sources.ts';

const folder = path.join(root, 'policies');
const catalogue = loadCatalogue(path.join(folder, 'catalogue'));
const pack = readPack(folder);
const now = compilePack(pack, catalogue);
const closing = (field: string, id = 'ab'.repeat(8)): Closing => ({ id, field: field as FieldRef, purpose: 'pre_loan_review' as PurposeCode, reason: 'wrong_values' });
const edited = (file: string, from: string, to: string): Pack => {
  assert.ok(pack[file]?.includes(from), `${file} holds ${from}`);
  return { ...pack, [file]: (pack[file] ?? '').replace(from, to) };
};
const asking = (change: Partial<PastAsking> = {}): PastAsking => ({
  purpose: 'pre_loan_review' as PurposeCode, institutionClass: 'commercial_bank' as InstitutionClass, field: 'tax.declared_revenue_cents' as FieldRef, use: 'read', consent: 'original',
  facts: new Map([['institution.security_level', 4]]), ...change,
});

describe('policy: a pack as it is stored', () => {
  it('is the folder to the letter, and loads to the same version', () => {
    assert.ok(Object.keys(pack).length > 20);
    assert.deepEqual(JSON.parse(packText(pack)), pack);
    assert.equal(testPack(pack, now).failures.length, 0);
    assert.equal(compilePack(Object.fromEntries(Object.entries(pack).toReversed()), catalogue).version, now.version);
    assert.notEqual(packDigest({ ...pack, 'tests/tax.yaml': `${pack['tests/tax.yaml']}# more\n` }), packDigest(pack), 'a comment in a test is reviewed too');
  });

  it('refuses names that are none of its files, with the place', () => {
    for (const file of ['catalogue/tax.yaml', 'rules/../x.yaml', 'rules/tax.yml', 'notes.yaml']) {
      assert.throws(() => compilePack({ ...pack, [file]: '' }, catalogue), (error) => isVeilgateError(error, 'POLICY_BROKEN') && JSON.stringify(error.detail).includes(file));
    }
  });

  it('is changed file by file', () => {
    const next = changedPack(pack, { 'tests/tax.yaml': null, 'tests/new.yaml': 'tests: []\n', 'tests/gone.yaml': null });
    assert.deepEqual(packDifference(pack, next), [{ file: 'tests/new.yaml', change: 'added' }, { file: 'tests/tax.yaml', change: 'removed' }]);
  });
});

describe('policy: a withhold', () => {
  it('closes the field for the purpose for every class, consent and use, and nothing else', () => {
    const after = compilePack(pack, catalogue, [closing('tax.declared_revenue_cents')]);
    const { changes, settings } = diffPolicies(now, after);
    assert.ok(changes.length > 0);
    assert.deepEqual(settings, []);
    for (const change of changes) assert.deepEqual([change.risk, change.fields, change.purposes], ['tightened', ['tax.declared_revenue_cents'], ['pre_loan_review']]);
    for (const institutionClass of after.institutionClasses.keys()) {
      for (const use of ['read', 'verify', 'score', 'aggregate'] as const) {
        const { fields: [decided] } = after.decide({ ...asking(), institutionClass: institutionClass as InstitutionClass, asked: [{ field: asking().field, use }], consent: new Map([[asking().field, 'original']]) });
        assert.equal(decided?.disposition, 'withhold');
      }
    }
    assert.notEqual(after.version, now.version, 'log entries name what decided');
  });

  it('cannot be undone by a rule that took its name', () => {
    const name = closingRule('ab'.repeat(8));
    const planted = edited('rules/tax.yaml', 'id: tax-public-clear', `id: ${name}`);
    const after = compilePack({ ...planted, 'tests/tax.yaml': 'tests: []\n' }, catalogue, [closing('tax.declared_revenue_cents')]);
    assert.equal(after.decide({ ...asking(), asked: [{ field: asking().field, use: 'read' }], consent: new Map([[asking().field, 'original']]) }).fields[0]?.reason, 'denied_by_rule');
  });

  it('leaves every other line of the file as it was', () => {
    const text = withheldFiles(pack, [closing('tax.period')])['rules/tax.yaml'] ?? '';
    const lines = new Set(text.split('\n'));
    assert.deepEqual((pack['rules/tax.yaml'] ?? '').split('\n').filter((line) => line.trim().startsWith('#') && !lines.has(line)), []);
    assert.ok(text.includes(`id: ${closingRule('ab'.repeat(8))}`));
  });
});

describe('policy: exemptions', () => {
  it('are opening rules that end on a day, and are called over when it has come', () => {
    const rule = (id: string, when: string) => `\n  - id: ${id}\n    description: { en: Until then., zh: 至此。 }\n    fields: [email]\n    purposes: [in_loan_approval]\n    institution_classes: [commercial_bank]\n    consent: [original]\n    effect: { use: verify, comparison: { method: equal } }\n    when: ${when}\n`;
    const purposes = (pack['purposes.yaml'] ?? '').replace('      - owner.phone', '      - owner.phone\n      - owner.email');
    const dated = compilePack({ ...pack, 'purposes.yaml': purposes, 'rules/owner.yaml': pack['rules/owner.yaml'] + rule('late', '{ all: [{ fact: now.date, op: before, value: 2027-01-01 }, { fact: institution.security_level, op: at_least, value: 4 }] }') }, catalogue);
    assert.deepEqual(exemptionsOf(dated, '2026-12-31').map(({ rule: id, ends, over }) => [id, ends, over]), [['late', '2027-01-01', false]]);
    assert.equal(exemptionsOf(dated, '2027-01-01')[0]?.over, true);
    assert.deepEqual(exemptionsOf(now, '2026-12-31'), []);
  });
});

describe('policy: replay of past decisions', () => {
  const closed = compilePack(pack, catalogue, [closing('tax.declared_revenue_cents')]);

  it('says more, less or the same, by consent and facts of then', () => {
    assert.equal(replay(now, closed, asking()), 'less');
    assert.equal(replay(closed, now, asking()), 'more');
    assert.equal(replay(now, now, asking()), 'same');
    assert.equal(replay(closed, now, asking({ consent: null })), 'same', 'nothing leaves without consent');
    assert.equal(replay(closed, now, asking({ purpose: 'post_loan_monitoring' as PurposeCode })), 'same');
  });

  it('calls unknown what hangs on facts that callers stated, and guesses nothing', () => {
    const conditional = compilePack(edited('rules/tax.yaml', '    fields: [declared_revenue_cents, invoiced_cents, invoice_count, vat_paid_cents, income_tax_paid_cents, violations]\n    purposes: [pre_loan_review, in_loan_approval]\n    institution_classes: [commercial_bank, rural_bank, policy_bank]\n    consent: [original]\n', '    fields: [declared_revenue_cents, invoiced_cents, invoice_count, vat_paid_cents, income_tax_paid_cents, violations]\n    purposes: [pre_loan_review, in_loan_approval]\n    institution_classes: [commercial_bank, rural_bank, policy_bank]\n    consent: [original]\n    when: { fact: request.loan_amount_cents, op: at_least, value: 100 }\n'), catalogue);
    assert.equal(replay(now, conditional, asking()), 'unknown');
    assert.equal(replay(conditional, conditional, asking()), 'same');
  });
});
