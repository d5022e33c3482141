import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import path from 'node:path';
import { isVeilgateError } from '../../src/errors.ts';
import { outcomeKey } from '../../src/policy/cell.ts';
import { diffPolicies } from '../../src/policy/diff.ts';
import { editPack } from '../../src/policy/edit/apply.ts';
import type { CellEdit, CellSetting } from '../../src/policy/edit/cell-edit.ts';
import { matrixOf } from '../../src/policy/edit/matrix.ts';
import { offersFor } from '../../src/policy/edit/offers.ts';
import { uses } from '../../src/policy/rule.ts';
import { compilePack, readPack } from '../../src/policy/store/pack.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import type { Field, FieldRef } from '../../src/vocabulary.ts';
import { root } from '../support/sources.ts';

const folder = path.join(root, 'policies');
const catalogue = loadCatalogue(path.join(folder, 'catalogue'));
const pack = readPack(folder);
const policy = compilePack(pack, catalogue);
const tax = (name: string) => `tax.${name}` as FieldRef;
const banded: CellSetting = { opening: { use: 'read', disposition: 'band', treatment: { method: 'band', edges: [100, 1000] } } };
const clear: CellSetting = { opening: { use: 'read', disposition: 'clear' } };
const banks = ['commercial_bank', 'rural_bank', 'policy_bank'];
const edit = (change: Partial<CellEdit> = {}): CellEdit => ({ field: tax('invoice_count'), use: 'read', purposes: ['pre_loan_review'], institution_classes: ['credit_bureau'], ...change });

describe('policy: editing cells', () => {
  it('leaves every line alone that has nothing to do with the edit', () => {
    const { changes } = editPack(pack, policy, catalogue, [edit({ desensitised: null })]);
    assert.deepEqual(Object.keys(changes), ['rules/tax.yaml']);
    const before = (pack['rules/tax.yaml'] ?? '').split('\n');
    const after = (changes['rules/tax.yaml'] ?? '').split('\n');
    const gone = before.filter((line) => !after.includes(line));
    assert.ok(gone.length <= 2, gone.join('\n'));
    assert.ok(before.filter((line) => line.trim().startsWith('#')).every((line) => after.includes(line)));
  });

  it('takes back what it did to the very text, when the cell is set as it was', () => {
    const first = editPack(pack, policy, catalogue, [edit({ field: tax('violations'), purposes: ['pre_loan_review', 'in_loan_approval'], institution_classes: banks, original: null })]);
    assert.notDeepEqual(first.pack, pack);
    const second = editPack(first.pack, first.policy, catalogue, [edit({ field: tax('violations'), purposes: ['pre_loan_review', 'in_loan_approval'], institution_classes: banks, original: clear })]);
    assert.deepEqual(diffPolicies(policy, second.policy).combinationsChanged, 0);
    assert.equal(second.policy.rules.size, policy.rules.size, 'no rule is left over');
  });

  it('sets one reach of consent and keeps the other', () => {
    const { policy: after } = editPack(pack, policy, catalogue, [edit({ institution_classes: ['commercial_bank'], original: null })]);
    const cell = after.cell('pre_loan_review', 'commercial_bank', tax('invoice_count'), 'read');
    assert.deepEqual([cell?.original.fixed?.disposition, cell?.desensitised.fixed?.disposition], ['band', 'band']);
  });

  it('keeps a condition', () => {
    const when = { fact: 'institution.security_level', op: 'at_least', value: 5 } as const;
    const { policy: after, changes } = editPack(pack, policy, catalogue, [edit({ institution_classes: ['commercial_bank'], original: { ...clear, when } })]);
    const rule = [...after.rules.values()].find(({ id }) => id === 'tax-invoice-count-read');
    assert.deepEqual(rule?.text.when, when);
    assert.match(changes['rules/tax.yaml'] ?? '', /when: \{ fact: institution\.security_level, op: at_least, value: 5 \}/);
  });

  it('takes a cell out of a prohibition, and leaves the others in it', () => {
    const deny = [
      '  - id: tax-never', '    description: { en: Never., zh: 禁止。 }', "    fields: ['*']", "    purposes: ['*']", "    institution_classes: ['*']", '    consent: [original, desensitised]', '    effect: deny', '',
    ].join('\n');
    const from = { ...pack, 'rules/tax.yaml': `${pack['rules/tax.yaml']}\n${deny}` };
    const denied = compilePack(from, catalogue);
    const { policy: after } = editPack(from, denied, catalogue, [edit({ institution_classes: ['commercial_bank'], desensitised: banded, original: banded })]);
    const { changes } = diffPolicies(denied, after);
    assert.deepEqual(changes.map(({ risk, fields, purposes, institutionClasses, use }) => [risk, fields, purposes, institutionClasses, use]),
      [['loosened', [tax('invoice_count')], ['pre_loan_review'], ['commercial_bank'], 'read']]);
  });

  it('makes the file of a dataset that had no rules, and empties one', () => {
    const { 'rules/owner.yaml': _gone, ...without } = pack;
    const before = compilePack(without, catalogue);
    const made = editPack(without, before, catalogue, [{ field: 'owner.name' as FieldRef, use: 'read', purposes: ['pre_loan_review'], institution_classes: ['commercial_bank'],
      desensitised: { opening: { use: 'read', disposition: 'mask', treatment: { method: 'chinese_name' } } } }]);
    assert.match(made.pack['rules/owner.yaml'] ?? '', /^dataset: owner\nrules:\n {2}- id: owner-name-read\n/m);
    const emptied = editPack(made.pack, made.policy, catalogue, [{ field: 'owner.name' as FieldRef, use: 'read', purposes: ['pre_loan_review'], institution_classes: ['commercial_bank'],
      desensitised: null }]);
    assert.match(emptied.pack['rules/owner.yaml'] ?? '', /^dataset: owner\nrules: \[\]\n$/m);
  });

  it('changes a file whose rules are written on one line each', () => {
    const flat = { ...pack, 'rules/owner.yaml': 'dataset: owner\nrules: [{ id: one, description: { en: One., zh: 一。 }, fields: [name, phone], purposes: [pre_loan_review], institution_classes: [commercial_bank], consent: [original], effect: { use: read, disposition: clear } }] # kept\n' };
    const { pack: after } = editPack(flat, compilePack(flat, catalogue), catalogue, [{ field: 'owner.phone' as FieldRef, use: 'read', purposes: ['pre_loan_review'],
      institution_classes: ['commercial_bank'], original: null }]);
    assert.match(after['rules/owner.yaml'] ?? '', /fields: \[name\]/);
    assert.match(after['rules/owner.yaml'] ?? '', /# kept/);
  });

  it('refuses cells there are not, and what no policy may say', () => {
    const codeOf = (change: Partial<CellEdit>) => { try { editPack(pack, policy, catalogue, [edit(change)]); return 'done'; } catch (error) { return isVeilgateError(error) ? error.code : error; } };
    assert.equal(codeOf({ field: tax('nothing'), original: null }), 'REQUEST_INVALID');
    assert.equal(codeOf({ purposes: ['gossip'], original: null }), 'REQUEST_INVALID');
    assert.equal(codeOf({ institution_classes: ['casino'], original: null }), 'REQUEST_INVALID');
    assert.equal(codeOf({ use: 'verify', original: clear }), 'REQUEST_INVALID');
    assert.equal(codeOf({ field: 'owner.bank_account' as FieldRef, original: clear }), 'REQUEST_INVALID', 'not in the minimum');
    assert.equal(codeOf({ desensitised: clear }), 'POLICY_BROKEN', 'clear at consent to the desensitised form');
    assert.equal(codeOf({ original: { ...clear, when: { fact: 'nobody.knows', op: 'equals', value: 1 } } }), 'POLICY_BROKEN');
    assert.equal(codeOf({ original: { opening: { use: 'read', disposition: 'mask', treatment: { method: 'phone' } } } }), 'POLICY_BROKEN');
  });

  it('whatever is offered can be set; and any edits change the cells they name, to what they say, and no other', () => {
    const fields = [...policy.fields.values()];
    const someEdit = fc.record({
      field: fc.constantFrom(...fields), use: fc.constantFrom(...uses), purposes: fc.subarray([...policy.purposes.keys()], { minLength: 1 }),
      classes: fc.subarray([...policy.institutionClasses.keys()], { minLength: 1 }), pick: fc.tuple(fc.nat(), fc.nat()), conditional: fc.boolean(),
        sides: fc.constantFrom('both', 'desensitised', 'original'),
    }).map(({ field, use, purposes, classes, pick, conditional, sides }): CellEdit => {
      const usable = purposes.filter((purpose) => policy.purposes.get(purpose)?.caps.fields.has(field.ref) === true);
      const setting = (tier: 'desensitised' | 'original', at: number): CellSetting => settingFor(field, use, usable, tier, at, conditional);
      return {
        field: field.ref, use, purposes: usable.length === 0 ? purposes : usable, institution_classes: classes,
        ...(sides === 'original' ? {} : { desensitised: setting('desensitised', pick[0]) }), ...(sides === 'desensitised' ? {} : { original: setting('original', pick[1]) }),
      };
    });
    // editPack itself compares every cell with what was asked, and every other with what it was: it throws a TypeError when they differ
    fc.assert(fc.property(fc.array(someEdit, { minLength: 1, maxLength: 4 }), (edits) => {
      const { policy: after, pack: edited } = editPack(pack, policy, catalogue, edits);
      const { changes } = diffPolicies(policy, after);
      const named = (field: string, use: string, purpose: string, each: string) => edits.some((one) => one.field === field && one.use === use && one.purposes.includes(purpose)
        && one.institution_classes.includes(each));
      for (const { fields: refs, use, purposes, institutionClasses } of changes) {
        for (const field of refs) for (const purpose of purposes) for (const each of institutionClasses) assert.ok(named(field, use, purpose, each), `${field} ${use} ${purpose} ${each}`);
      }
      const last = edits.at(-1) as CellEdit;
      if (last.original !== undefined && last.desensitised !== undefined && last.original === null && last.desensitised === null) {
        const cell = after.cell(last.purposes[0] as string, last.institution_classes[0] as string, last.field, last.use);
        assert.equal(cell === undefined ? '' : outcomeKey(cell.original), 'withhold');
      }
      for (const [file, text] of Object.entries(pack)) for (const line of text.split('\n').filter((each) => each.trim().startsWith('#'))) assert.ok((edited[file] ?? '').includes(line));
    }), { numRuns: 40 });
  }).timeout(120_000);

  function settingFor(field: Field, use: CellEdit['use'], purposes: readonly string[], tier: 'desensitised' | 'original', at: number, conditional: boolean): CellSetting {
    if (purposes.length === 0) return null;
    const common = offersFor(policy, field, purposes[0] as string, use).filter(({ opening, tiers }) => tiers.includes(tier)
      && purposes.every((purpose) => offersFor(policy, field, purpose, use).some((other) => other.tiers.includes(tier) && JSON.stringify(other.opening) === JSON.stringify(opening))));
    const offer = at % 5 === 0 ? undefined : common[at % Math.max(common.length, 1)];
    if (offer === undefined) return null;
    return { opening: offer.opening, ...(conditional ? { when: { fact: 'institution.security_level', op: 'at_least', value: 3 } } : {}) };
  }
});

describe('policy: the matrix', () => {
  it('says of every cell what the policy decides', () => {
    const { purposes, fields, outcomes, cells } = matrixOf(policy, 'commercial_bank', 'read', 'original');
    assert.equal(cells.length, purposes.length * fields.length);
    for (const [at, position] of cells.entries()) {
      const field = fields[Math.floor(at / purposes.length)] as FieldRef;
      const cell = policy.cell(purposes[at % purposes.length] as string, 'commercial_bank', field, 'read')?.original;
      const shown = outcomes[position];
      if (cell?.fixed === null) assert.equal(shown?.conditional, true);
      else assert.deepEqual([shown?.disposition, shown?.reason], [cell?.fixed.disposition, cell?.fixed.reason]);
    }
    assert.ok(outcomes.length < 200, 'equal outcomes are one');
  });
});
