import { strict as assert } from 'node:assert';
import { withheld } from '../../src/policy/cell.ts';
import { KnownDecisions } from '../../src/policy/known-decisions.ts';
import { loadPolicyPack } from '../../src/policy/load.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import type { FieldRef, InstitutionClass, PolicyVersion, PurposeCode, Use } from '../../src/vocabulary.ts';
import path from 'node:path';

const head = { policy: 'f'.repeat(64) as PolicyVersion, purpose: 'pre_loan_review' as PurposeCode, institutionClass: 'commercial_bank' as InstitutionClass };
const field = (name: string) => withheld(`tax.${name}` as FieldRef, 'read', 'no_rule');
const [a, b] = [field('a'), field('b')];

describe('policy/known-decisions', () => {
  it('gives equal decisions as one frozen object, and different ones as different objects', () => {
    const known = new KnownDecisions();
    const decision = known.of(head, [a, b]);
    assert.deepEqual(decision, { ...head, fields: [a, b] });
    assert.ok(Object.isFrozen(decision) && Object.isFrozen(decision.fields));
    assert.equal(known.of({ ...head }, [a, b]), decision);
    const others = [known.of(head, [a]), known.of(head, [b, a]), known.of(head, []), known.of(head, [field('a'), b]), known.of({ ...head, purpose: 'in_loan_approval' as PurposeCode }, [a, b]), known.of({ ...head, institutionClass: 'bureau' as InstitutionClass }, [a, b])];
    assert.equal(new Set([decision, ...others]).size, others.length + 1);
    assert.deepEqual(others.map(({ fields }) => fields.length), [1, 2, 0, 2, 2, 2]);
  });

  it('forgets all before it grows without end, and goes on', () => {
    const known = new KnownDecisions();
    const first = known.of(head, [a]);
    for (let at = 0; at < 50_100; at += 1) known.of(head, [field(`x${at}`)]);
    assert.notEqual(known.of(head, [a]), first);
    assert.equal(known.of(head, [a]), known.of(head, [a]));
  });

  it('is used by a compiled policy, which keeps nothing of questions about unknown fields', () => {
    const root = path.resolve(import.meta.dirname, '../../policies');
    const policy = loadPolicyPack(root, loadCatalogue(path.join(root, 'catalogue')));
    const ask = (...names: string[]) => policy.decide({ ...head, asked: names.map((name) => ({ field: name as FieldRef, use: 'read' as Use })), consent: new Map(), facts: new Map() });
    assert.equal(ask('registry.name', 'tax.credit_rating'), ask('registry.name', 'tax.credit_rating'));
    assert.notEqual(ask('registry.name', 'tax.unheard_of'), ask('registry.name', 'tax.unheard_of'));
    assert.deepEqual(ask('registry.name', 'tax.unheard_of'), ask('registry.name', 'tax.unheard_of'));
  });
});
