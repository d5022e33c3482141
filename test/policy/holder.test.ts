import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isVeilgateError } from '../../src/errors.ts';
import { PolicyHolder, watchPolicy, type ReloadReport } from '../../src/policy/holder.ts';
import { loadPolicyPack } from '../../src/policy/load.ts';
import { readPolicyTests, runPolicyTests } from '../../src/policy/vectors.ts';
import { until } from '../support/until.ts';
import { decideOne, fileOf, filesOf, smallCatalogue } from './pack.ts';

const clear = { id: 'clear', fields: ['revenue_cents'], effect: { use: 'read', disposition: 'clear' } } as const;
const deny = { id: 'deny', fields: ['revenue_cents'], effect: 'deny' } as const;

describe('a policy folder', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-policy-'));
    mkdirSync(path.join(folder, 'rules'));
    mkdirSync(path.join(folder, 'tests'));
    for (const { file, bytes } of filesOf({ tax: [clear] })) writeFileSync(path.join(folder, file), bytes);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (file: string, text: string | Uint8Array) => writeFileSync(path.join(folder, file), text);
  const rules = (...list: readonly (typeof clear | typeof deny)[]) => write('rules/tax.yaml', (filesOf({ tax: list })[1] as { bytes: Uint8Array }).bytes);
  const holderOf = () => new PolicyHolder(() => loadPolicyPack(folder, smallCatalogue));
  const broken = (says: RegExp) => (error: unknown) => isVeilgateError(error, 'POLICY_BROKEN') && says.test(error.message);

  it('is read as a whole, hidden files of editors aside', () => {
    write('rules/.tax.yaml.swp', '\u0000');
    assert.equal(decideOne(loadPolicyPack(folder, smallCatalogue), 'tax.revenue_cents', 'read').disposition, 'clear');
  });

  it('is refused when a file would be passed over in silence', () => {
    write('rules/owner.yml', 'dataset: owner\nrules: []\n');
    assert.throws(() => loadPolicyPack(folder, smallCatalogue), broken(/rules\/owner.yml:1:1: only files called <name>.yaml/));
  });

  it('is refused without its folder, its purposes, or with what is no file', () => {
    rmSync(path.join(folder, 'purposes.yaml'));
    assert.throws(() => loadPolicyPack(folder, smallCatalogue), broken(/purposes.yaml:1:1: the file is missing/));
    write('purposes.yaml', (filesOf({})[0] as { bytes: Uint8Array }).bytes);
    symlinkSync('/etc/hostname', path.join(folder, 'rules', 'owner.yaml'));
    assert.throws(() => loadPolicyPack(folder, smallCatalogue), broken(/rules\/owner.yaml:1:1: not a regular file/));
    assert.throws(() => loadPolicyPack(path.join(folder, 'nowhere'), smallCatalogue), broken(/cannot be read|missing/));
  });

  it('replaces the policy in force when it changes, and not when it does not', () => {
    const holder = holderOf();
    const before = holder.current();
    assert.deepEqual(holder.reload(), { outcome: 'unchanged', version: before.version });
    assert.equal(holder.current(), before);
    rules(clear, deny);
    const report = holder.reload();
    assert.equal(report.outcome, 'replaced');
    assert.equal(decideOne(holder.current(), 'tax.revenue_cents', 'read').disposition, 'withhold');
    assert.equal(decideOne(before, 'tax.revenue_cents', 'read').disposition, 'clear', 'a request that took the old one keeps it');
  });

  it('keeps the policy in force when the new one is broken, and says where', () => {
    const holder = holderOf();
    const before = holder.current();
    write('rules/tax.yaml', 'dataset: tax\nrules:\n  - id: x\n');
    const report = holder.reload() as Extract<ReloadReport, { outcome: 'kept' }>;
    assert.deepEqual([report.outcome, report.version, holder.current() === before], ['kept', before.version, true]);
    assert.ok(report.problems.some(({ file, line }) => file === 'rules/tax.yaml' && line === 3));
    rmSync(folder, { recursive: true });
    assert.equal(holder.reload().outcome, 'kept');
    assert.equal(decideOne(holder.current(), 'tax.revenue_cents', 'read').disposition, 'clear');
  });

  it('keeps the policy in force whatever goes wrong', () => {
    let fail = false;
    const holder = new PolicyHolder(() => {
      if (fail) throw new TypeError('secret of the fault');
      return loadPolicyPack(folder, smallCatalogue);
    });
    fail = true;
    const report = holder.reload();
    assert.equal(report.outcome, 'kept');
    assert.ok(!JSON.stringify(report).includes('secret'));
  });

  it('must be unbroken at the start', () => {
    write('purposes.yaml', 'purposes: {}\n');
    assert.throws(holderOf, (error) => isVeilgateError(error, 'POLICY_BROKEN'));
  });

  it('is watched: a change comes into force once the files are still', async () => {
    const holder = holderOf();
    const reports: ReloadReport[] = [];
    const stop = watchPolicy(holder, folder, (report) => reports.push(report), 150);
    try {
      rules(deny);
      await delay(40);
      rules(clear, deny);
      await until('something is reported', () => reports.length > 0);
      assert.deepEqual(reports.map(({ outcome }) => outcome), ['replaced']);
      assert.equal(holder.current().rules.size, 2);
      write('rules/tax.yaml', 'rules: [');
      await until('something else is reported', () => reports.length > 1);
      assert.equal(reports[1]?.outcome, 'kept');
      assert.equal(holder.current().rules.size, 2);
    } finally {
      stop();
    }
    rules(clear);
    await delay(300);
    assert.equal(reports.length, 2, 'nothing after the watch ended');
  });

  it('brings its own tests, which fail where the policy does not do what they say', () => {
    const expect = (disposition: string, more = '') => `tests:\n  - name: revenue is ${disposition}\n    purpose: review\n    institution_class: bank\n    consent: { 'tax.*': original }\n    expect:\n      - { field: tax.revenue_cents, use: read, disposition: ${disposition}${more} }\n`;
    const policy = loadPolicyPack(folder, smallCatalogue);
    write('tests/good.yaml', expect('clear', ', rule: clear, reason: permitted, treatment: none'));
    assert.deepEqual(runPolicyTests(policy, readPolicyTests(folder)), { tests: 1, failures: [], coveredRules: ['clear'], uncoveredRules: [] });
    write('tests/wrong.yaml', expect('mask', ', rule: mask-rule'));
    const { failures } = runPolicyTests(policy, readPolicyTests(folder));
    assert.deepEqual(failures.map(({ file, line, column, test, problem }) => [file, line, column, test, problem]), [
      ['tests/wrong.yaml', 7, 9, 'revenue is mask', 'tax.revenue_cents read: disposition mask expected, got clear; rule mask-rule expected, got clear (reason permitted, rule clear)'],
    ]);
    assert.deepEqual(runPolicyTests(policy, [fileOf('tests/x.yaml', expect('clear').replace('purpose: review', 'purpose: nonesuch'))]).failures.map(({ line }) => line), [3]);
    assert.throws(() => runPolicyTests(policy, [fileOf('tests/x.yaml', expect('clear').replace('use: read', 'use: reed'))]), broken(/tests\/x.yaml:7:42 .*did you mean "read"/));
  });

  it('tests without grant and with narrower consent as written', () => {
    const text = (consent: string, reason: string) => fileOf('tests/x.yaml', `tests:\n  - name: consent counts\n    purpose: review\n    institution_class: bank\n    consent: ${consent}\n    expect:\n      - { field: tax.revenue_cents, use: read, disposition: withhold, reason: ${reason} }\n`);
    const policy = loadPolicyPack(folder, smallCatalogue);
    for (const [consent, reason] of [['no_grant', 'no_valid_grant'], ["{ '*': original, tax.revenue_cents: none }", 'not_consented'], ['{}', 'not_consented']] as const) {
      assert.deepEqual(runPolicyTests(policy, [text(consent, reason)]).failures, [], consent);
    }
    assert.equal(runPolicyTests(policy, [text("{ 'tax.*': original }", 'not_consented')]).failures.length, 1);
  });
});
