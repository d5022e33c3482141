import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isVeilgateError } from '../../src/errors.ts';
import { loadSelfAccess } from '../../src/policy/self-access.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';

const policies = path.join(import.meta.dirname, '../../policies');

describe('what an enterprise gets of its own data', () => {
  const catalogue = loadCatalogue(path.join(policies, 'catalogue'));
  let folder: string;
  before(() => { folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-self-access-')); });
  after(() => rmSync(folder, { recursive: true }));
  const load = (text: string) => {
    writeFileSync(path.join(folder, 'self-access.yaml'), text);
    return loadSelfAccess(folder, catalogue);
  };
  const rule = (fields: string, rest: string) => `rules:\n  - fields: [${fields}]\n    ${rest}\n    why: { en: x, zh: 乙 }\n`;
  const problemsOf = (text: string) => {
    try {
      load(text);
      return [];
    } catch (error) {
      assert.ok(isVeilgateError(error, 'POLICY_BROKEN'));
      return (error.detail?.['problems'] as readonly { problem: string; line: number }[]).map(({ problem }) => problem);
    }
  };

  it('is everything about itself, and of people only what a rule names', () => {
    const none = load('rules: []\n').decision.fields;
    assert.deepEqual(none.map(({ field }) => field), [...catalogue.fields.keys()]);
    for (const { field, disposition, reason } of none) {
      const personal = catalogue.fields.get(field)?.classification.kind === 'personal';
      assert.deepEqual([disposition, reason], personal ? ['withhold', 'no_rule'] : ['clear', 'permitted'], field);
    }
    const shipped = loadSelfAccess(policies, catalogue);
    assert.ok(shipped.decision.fields.every(({ reason }) => reason !== 'no_rule'), 'the sample pack decides on every personal field');
    assert.deepEqual(shipped.decision.fields.filter(({ disposition, field }) => disposition === 'clear' && catalogue.fields.get(field)?.classification.kind === 'personal').map(({ field }) => field), ['registry.legal_representative']);
  });

  it('closes personal data where a pack has no such file', () => {
    const without = loadSelfAccess(path.join(folder, 'nothing'), catalogue);
    assert.equal(without.digest, load('rules: []\n').digest);
    assert.ok(without.decision.fields.some(({ disposition }) => disposition === 'withhold'));
  });

  it('has a digest that follows what decides, and not its words', () => {
    const one = load(rule('owner.name', 'disposition: mask\n    treatment: { method: chinese_name }'));
    assert.equal(load(rule('owner.name', 'disposition: mask\n    treatment: { method: chinese_name }').replace('乙', '丙')).digest, one.digest);
    assert.notEqual(load(rule('owner.name', 'disposition: clear')).digest, one.digest);
  });

  it('is refused when a rule is broken', () => {
    assert.match(problemsOf(rule('owner.nam', 'disposition: clear'))[0] ?? '', /no field "owner.nam" \(did you mean "owner.name"\?\)/);
    assert.match(problemsOf(rule('gossip.*', 'disposition: clear'))[0] ?? '', /no field of the catalogue matches/);
    assert.match(problemsOf(rule('owner.name', 'disposition: mask'))[0] ?? '', /needs a treatment/);
    assert.match(problemsOf(rule('owner.name', 'disposition: withhold\n    treatment: { method: suppress }'))[0] ?? '', /has no treatment/);
    assert.match(problemsOf(rule('owner.name', 'disposition: mask\n    treatment: { method: token }'))[0] ?? '', /belongs to the disposition "token"/);
    assert.match(problemsOf(rule('owner.name', 'disposition: mask\n    treatment: { method: year }'))[0] ?? '', /works on date only/);
    assert.match(problemsOf(rule('owner.name, owner.n*', 'disposition: clear'))[0] ?? '', /owner.name is named before/);
    assert.match(problemsOf(rule('owner.name', 'disposition: band'))[0] ?? '', /must be one of clear, mask, withhold/);
    assert.match(problemsOf('rules: [')[0] ?? '', /not valid YAML/);
  });
});
