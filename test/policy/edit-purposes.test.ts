import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import path from 'node:path';
import { parseDocument, stringify } from 'yaml';
import { isVeilgateError } from '../../src/errors.ts';
import { isOneLine } from '../../src/one-line.ts';
import { mayOpen } from '../../src/policy/cell.ts';
import { diffPolicies } from '../../src/policy/diff.ts';
import { editPolicy } from '../../src/policy/edit/apply-purposes.ts';
import type { FactEdit, PurposeEdit } from '../../src/policy/edit/purpose-edit.ts';
import { purposeBounds } from '../../src/policy/edit/purpose-bounds.ts';
import { conditionsAbout, openedFields } from '../../src/policy/edit/purpose-view.ts';
import { withValue } from '../../src/policy/edit/yaml-value.ts';
import { uses } from '../../src/policy/rule.ts';
import { compilePack, readPack } from '../../src/policy/store/pack.ts';
import type { FactText, PurposesText } from '../../src/policy/text.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import type { FieldRef } from '../../src/vocabulary.ts';
import { root } from '../support/sources.ts';

const folder = path.join(root, 'policies');
const catalogue = loadCatalogue(path.join(folder, 'catalogue'));
const pack = readPack(folder);
const policy = compilePack(pack, catalogue);
const text = pack['purposes.yaml'] ?? '';
const ref = (name: string) => name as FieldRef;
const edited = (purposes: readonly PurposeEdit[], facts: readonly FactEdit[] = []) => editPolicy(pack, policy, catalogue, { cells: [], purposes, facts });
const lines = (of: string) => of.split('\n');
const fieldsOf = (of: typeof policy, purpose: string) => of.purposes.get(purpose)?.caps.fields ?? new Set<FieldRef>();
const commentsOf = (of: string) => lines(of).filter((line) => line.trim().startsWith('#'));
/** As parsers make objects. */
const plain = { noNullPrototype: true } as const;
const complete: PurposeEdit = {
  purpose: 'supply_chain', is_new: true, title: { en: 'Supply chain', zh: '供应链融资' }, description: { en: 'Looks at “orders”: all of them, #1 first.', zh: '查看订单。' }, uses: ['read'],
  caps: { validity_days_max: 30, uses_max: 10, frequency_max: { max: 5, per: 'day' }, data_life_days_max: 30, data_period_years_max: 1, kinds: ['one_time'] }, attempts_max: 0,
  minimum: { add: [ref('tax.credit_rating'), ref('registry.name')], remove: [] },
};

describe('policy: editing purposes', () => {
  it('changes a cap on its own line and no other', () => {
    const { changes } = edited([{ purpose: 'in_loan_approval', caps: { validity_days_max: 20 } }]);
    assert.deepEqual(Object.keys(changes), ['purposes.yaml']);
    const after = lines(changes['purposes.yaml'] ?? '');
    assert.deepEqual(lines(text).flatMap((line, at) => (after[at] === line ? [] : [[line, after[at]]])), [['      validity_days_max: 30', '      validity_days_max: 20']]);
  });

  it('puts a field behind the others of its dataset, and takes one out with its line', () => {
    const { changes, policy: after } = edited([{ purpose: 'post_loan_monitoring', minimum: { add: [ref('tax.vat_paid_cents')], remove: [ref('utility.supply_cut')] } }]);
    const now = lines(changes['purposes.yaml'] ?? '');
    assert.deepEqual([now.length, now[now.lastIndexOf('      - tax.vat_paid_cents') - 1]], [lines(text).length, '      - tax.violations']);
    assert.deepEqual([fieldsOf(after, 'post_loan_monitoring').has(ref('tax.vat_paid_cents')), fieldsOf(after, 'post_loan_monitoring').has(ref('utility.supply_cut'))], [true, false]);
  });

  it('lets a pattern give way to the names it stood for, so that a field that comes later is not covered', () => {
    const { changes, policy: after } = edited([{ purpose: 'pre_loan_review', minimum: { add: [], remove: [ref('registry.address')] } }]);
    const { purposes } = parseDocument(changes['purposes.yaml'] ?? '').toJS() as PurposesText;
    const minimum = purposes['pre_loan_review']?.minimum ?? [];
    assert.ok(!minimum.includes('registry.*') && minimum.includes('registry.name') && minimum.includes('financials.*'));
    assert.deepEqual([...fieldsOf(policy, 'pre_loan_review')].filter((field) => !fieldsOf(after, 'pre_loan_review').has(field)), ['registry.address']);
  });

  it('writes nothing where nothing changes', () => {
    const { changes } = edited([{ purpose: 'in_loan_approval', caps: { validity_days_max: 30 }, minimum: { add: [ref('tax.period')], remove: [] } }]);
    assert.deepEqual(changes, {});
  });

  it('makes a purpose that opens nothing by itself, and a cell of it in the same go', () => {
    const alone = edited([complete]);
    assert.equal(diffPolicies(policy, alone.policy).combinationsChanged, 0);
    assert.deepEqual([...fieldsOf(alone.policy, 'supply_chain')].toSorted(), ['registry.name', 'tax.credit_rating']);
    assert.ok((alone.changes['purposes.yaml'] ?? '').startsWith(text), 'it stands behind all the others');
    const opened = editPolicy(pack, policy, catalogue, { purposes: [complete], facts: [], cells: [{
      field: ref('registry.name'), use: 'read', purposes: ['supply_chain'], institution_classes: ['commercial_bank'], original: { opening: { use: 'read', disposition: 'clear' } },
    }] });
    assert.deepEqual(diffPolicies(policy, opened.policy).changes.map(({ fields, purposes }) => [fields, purposes]), [[['registry.name'], ['supply_chain']]]);
  });

  it('declares, changes and takes away facts', () => {
    const tons: FactText = { type: 'integer', min: 0, max: 10, unit: 't', title: { en: 'tons', zh: '吨数' } };
    const added = edited([], [{ fact: 'request.tons', declared: tons }]);
    assert.deepEqual(added.policy.facts.get('request.tons'), { name: 'request.tons', from: 'caller', ...tons });
    const narrowed = edited([], [{ fact: 'grant.age_days', declared: { type: 'integer', min: 0, max: 3650, unit: 'days', title: { en: 'age', zh: '天数' } } }]);
    assert.deepEqual([narrowed.policy.facts.get('grant.age_days')?.max, diffPolicies(policy, narrowed.policy).settings.length], [3650, 1]);
    const gone = editPolicy(added.pack, added.policy, catalogue, { cells: [], purposes: [], facts: [{ fact: 'request.tons', declared: null }] });
    assert.equal(gone.pack['purposes.yaml'], text);
  });

  it('refuses what there is not, what is incomplete, and what no policy may say', () => {
    const refusal = (purposes: readonly PurposeEdit[], facts: readonly FactEdit[] = []) => {
      try { edited(purposes, facts); return 'done'; } catch (error) { return isVeilgateError(error) ? `${error.code} ${String(error.detail?.['pointer'] ?? '')}`.trim() : error; }
    };
    const { caps: _caps, ...incomplete } = complete;
    const purpose = 'pre_loan_review';
    assert.equal(refusal([{ purpose: 'gossip' }]), 'REQUEST_INVALID /purposes/0/purpose');
    assert.equal(refusal([{ ...complete, purpose }]), 'REQUEST_INVALID /purposes/0/purpose');
    assert.equal(refusal([incomplete]), 'REQUEST_INVALID /purposes/0/caps/validity_days_max');
    assert.equal(refusal([{ ...complete, minimum: { add: [], remove: [] } }]), 'REQUEST_INVALID /purposes/0/minimum');
    assert.equal(refusal([{ purpose, minimum: { add: [ref('tax.nothing')], remove: [] } }]), 'REQUEST_INVALID /purposes/0/minimum/add/0');
    assert.equal(refusal([{ purpose, minimum: { add: [], remove: [ref('tax.nothing')] } }]), 'REQUEST_INVALID /purposes/0/minimum/remove/0');
    assert.equal(refusal([{ purpose, minimum: { add: [ref('tax.period')], remove: [ref('tax.period')] } }]), 'REQUEST_INVALID /purposes/0/minimum/add/0');
    assert.equal(refusal([], [{ fact: 'request.nothing', declared: null }]), 'REQUEST_INVALID /facts/0/fact');
    assert.equal(refusal([], [{ fact: 'institution.colour', declared: { type: 'text', title: { en: 'x', zh: 'x' } } }]), 'REQUEST_INVALID /facts/0/fact');
    assert.equal(refusal([{ purpose, uses: ['score'] }]), 'POLICY_BROKEN', 'rules open other uses for it');
    assert.equal(refusal([], [{ fact: 'institution.security_level', declared: null }]), 'POLICY_BROKEN', 'rules ask about it');
    assert.equal(refusal([], [{ fact: 'request.tons', declared: { type: 'text', title: { en: 'x', zh: 'x' }, min: 1 } }]), 'POLICY_BROKEN');
  });

  it('any edits do to purposes what they say and to nothing else, whatever was edited before', () => {
    const refs = [...catalogue.fields.keys()];
    const codes = [...policy.purposes.keys()];
    const within = (name: keyof typeof purposeBounds) => fc.integer(purposeBounds[name]);
    const words = fc.record({
      en: fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }).filter((text) => isOneLine(text, 500)),
      zh: fc.string({ minLength: 1, maxLength: 20, unit: fc.constantFrom('贷', '款', ':', ' ', '#', '-', "'", '"', '{', '}', '\\', '*', '&') }).filter((text) => isOneLine(text, 500)),
    }, plain);
    const someEdit: fc.Arbitrary<PurposeEdit> = fc.record({
      purpose: fc.constantFrom(...codes), title: words, description: words,
      caps: fc.record({ validity_days_max: within('validity_days_max'), uses_max: within('uses_max'), data_life_days_max: within('data_life_days_max'), data_period_years_max: within('data_period_years_max'),
        frequency_max: fc.record({ max: within('frequency_max'), per: fc.constantFrom('day', 'week', 'month') }, plain), kinds: fc.shuffledSubarray(['one_time', 'periodic'], { minLength: 1 }) }, { requiredKeys: [], ...plain }),
      minimum: fc.tuple(fc.subarray(refs, { maxLength: 6 }), fc.subarray(refs, { maxLength: 30 })).map(([add, remove]) => ({ add, remove: remove.filter((field) => !add.includes(field)) })),
    }, { requiredKeys: ['purpose'], ...plain });
    fc.assert(fc.property(fc.array(fc.tuple(someEdit, fc.boolean()), { minLength: 1, maxLength: 4 }), (edits) => {
      let at = { pack, policy };
      for (const [edit, expectsNew] of edits) {
        const before = parseDocument(at.pack['purposes.yaml'] ?? '').toJS() as PurposesText;
        const facts: FactEdit[] = expectsNew ? [{ fact: 'request.tons', declared: { type: 'integer', min: before.facts['request.tons'] === undefined ? 1 : 2, title: { en: 't', zh: '吨' } } }] : [];
        const next = editPolicy(at.pack, at.policy, catalogue, { cells: [], purposes: [edit], facts });
        const after = parseDocument(next.pack['purposes.yaml'] ?? '').toJS() as PurposesText;
        const { purpose, minimum, caps } = edit;
        const was = before.purposes[purpose];
        const { minimum: listed, ...rest } = after.purposes[purpose] ?? { minimum: [] };
        assert.deepEqual(rest, { title: edit.title ?? was?.title, description: edit.description ?? was?.description, uses: was?.uses, caps: { ...was?.caps, ...caps }, verification: was?.verification });
        const expected = new Set([...fieldsOf(at.policy, purpose), ...minimum?.add ?? []].filter((field) => minimum?.remove.includes(field) !== true));
        assert.deepEqual([...fieldsOf(next.policy, purpose)].toSorted(), [...expected].toSorted());
        assert.deepEqual(listed.filter((each) => each.includes('*') && was?.minimum.includes(each) !== true), [], 'no new pattern');
        assert.deepEqual({ ...after, facts: before.facts, purposes: { ...after.purposes, [purpose]: was } }, before, 'nothing else changes');
        assert.deepEqual(after.facts, { ...before.facts, ...Object.fromEntries(facts.map(({ fact, declared }) => [fact, declared])) });
        for (const comment of commentsOf(text)) assert.ok((next.pack['purposes.yaml'] ?? '').includes(comment));
        assert.ok(Object.keys(next.changes).every((file) => file === 'purposes.yaml'));
        at = next;
      }
    }), { numRuns: 15 });
  }).timeout(120_000);
});

describe('policy: YAML of another value', () => {
  const files: Readonly<Record<string, string>> = {
    'block form': '# one\npurposes:\n  a: # of a\n    minimum:\n      # two\n      - x.a # why\n      - x.b\n\n      # three\n      - "x.*"\n    caps: { max: 1, kinds: [one] } # four\n    en: >-\n      folded\n      text\n  # five\n  b:\n    minimum: [x.a]\n    caps: {}\n    en: plain\n# six\n',
    'brackets with comments': '# one\npurposes: {\n  # two\n  a: { minimum: [x.a, # why\n    x.b,\n    # three\n    "x.*"], caps: { max: 1, kinds: [one] }, en: y }, # four\n  b: { minimum: [x.a], caps: {}, en: "#no" } }\n# six\n',
    'no line end, and keys that say they are': '? purposes\n: a:\n    minimum:\n    - x.a\n    - x.b\n    ? caps\n    : max: 1\n      kinds:\n      - one\n    en: |\n      text\n  b: {minimum: [x.a], caps: {}, en: x}',
  };
  const item = fc.constantFrom('x.a', 'x.b', 'x.*', 'y.a', 'y.b', 'true', '12', '- z');
  const part = fc.record({ minimum: fc.uniqueArray(item, { minLength: 1, maxLength: 6 }), caps: fc.dictionary(fc.constantFrom('max', 'kinds', 'more'), fc.oneof(fc.integer(), fc.uniqueArray(item, { maxLength: 3 }), fc.record({ max: fc.integer() }, plain)), plain),
    en: fc.string({ maxLength: 12 }) }, plain);

  for (const [form, source] of Object.entries(files)) {
    it(`says exactly what is wanted, and keeps the comments: ${form}`, () => {
      fc.assert(fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c'), part, { minKeys: 1, ...plain }), (purposes) => {
        const after = withValue(source, { purposes });
        assert.deepEqual(parseDocument(after).toJS(), { purposes });
        const kept = commentsOf(source).map((line) => line.trim()).filter((comment) => ['# one', '# six'].includes(comment) || (comment === '# two' && 'a' in purposes));
        for (const comment of kept) assert.ok(after.includes(comment), `${comment} in\n${after}`);
      }), { numRuns: 150 });
    });
  }

  it('leaves what is not touched to the letter', () => {
    const source = files['block form'] ?? '';
    const value = parseDocument(source).toJS() as { purposes: Record<string, { minimum: string[] }> };
    assert.equal(withValue(source, value), source);
    value.purposes['a'] = { ...value.purposes['a'], minimum: ['x.a', 'x.c', 'x.*'] };
    assert.equal(withValue(source, value), source.replace('      - x.b\n', '      - x.c\n'));
  });
});

describe('policy: a purpose to be read', () => {
  it('says which fields some rule opens for it, whether they are in the minimum or not', () => {
    const everything = [...catalogue.fields.keys()];
    const codes = [...policy.purposes.keys()];
    const { policy: all } = edited(codes.map((purpose) => ({ purpose, minimum: { add: everything, remove: [] } })));
    const isOpen = (purpose: string, field: FieldRef) => [...all.institutionClasses.keys()].some((each) => uses.some((use) => {
      const cell = all.cell(purpose, each, field, use);
      return cell !== undefined && (mayOpen(cell, 'original') || mayOpen(cell, 'desensitised'));
    }));
    for (const purpose of codes) assert.deepEqual([...openedFields(policy, purpose)].toSorted(), everything.filter((field) => isOpen(purpose, field)).toSorted(), purpose);
    const closed = { ...pack, 'rules/registry.yaml': stringify({ dataset: 'registry', rules: [] }) };
    assert.equal(openedFields(compilePack({ ...closed, ...Object.fromEntries(Object.keys(pack).filter((file) => file.startsWith('tests/')).map((file) => [file, pack[file] ?? ''])) }, catalogue), 'pre_loan_review').has(ref('registry.name')), false);
  });

  it('names the conditions its answers hang on, each once, with their facts', () => {
    const conditions = conditionsAbout(policy, 'in_loan_approval');
    assert.ok(conditions.length > 0);
    assert.equal(new Set(conditions.map(({ words }) => words.en)).size, conditions.length);
    for (const { rules, facts } of conditions) assert.ok(rules.every((id) => policy.rules.get(id)?.when !== null && policy.rules.get(id)?.purposes.has('in_loan_approval') === true) && facts.every((fact) => policy.facts.has(fact)));
  });
});
