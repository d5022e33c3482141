import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { policyCommand } from '../../src/cli/policy.ts';

const sample = path.join(import.meta.dirname, '../../policies');

class Ended extends Error {}

/** Runs `veilgate policy …args` and gives what a terminal would show. */
async function run(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  const result = { code: 0, out: '', error: '' };
  const command = policyCommand(
    { out: (line) => { result.out += `${line}\n`; }, error: (line) => { result.error += `${line}\n`; }, exit: (code) => { result.code = code; } },
    (code) => { result.code = code; throw new Ended(); },
  );
  await command.parseAsync(args, { from: 'user' }).catch((error: unknown) => { if (!(error instanceof Ended)) throw error; });
  return result;
}

describe('veilgate policy', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-policy-cli-'));
    cpSync(sample, folder, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const change = (file: string, from: string, to: string) => {
    const full = path.join(folder, file);
    const text = readFileSync(full, 'utf8');
    assert.ok(text.includes(from));
    writeFileSync(full, text.replace(from, to));
  };

  it('check says that a policy is fine, and which it is', async () => {
    const { code, out } = await run('check', '--folder', folder);
    assert.equal(code, 0);
    assert.match(out, /The policy is fine: \d+ rules over \d+ fields, 4 purposes, 6 institution classes\.\nVersion [0-9a-f]{64}\n/);
    const json = JSON.parse((await run('check', '--folder', folder, '--json')).out);
    assert.deepEqual([json.ok, json.warnings], [true, []]);
  });

  it('check names file, line and column of what is broken, and exits with 1', async () => {
    change('rules/tax.yaml', 'fields: [period, credit_rating', 'fields: [period, credit_ratin');
    const { code, error } = await run('check', '--folder', folder);
    assert.equal(code, 1);
    assert.match(error, /^rules\/tax\.yaml:9:22 \/rules\/0\/fields\/1: tax has no field "credit_ratin" \(did you mean "credit_rating"\?\)\n/);
    const json = await run('check', '--folder', folder, '--json');
    assert.equal(json.code, 1);
    assert.equal(JSON.parse(json.out).problems[0].line, 9);
  });

  it('check names what is broken in the limits of scoring models', async () => {
    change('scoring.yaml', 'dominant_share_max: 0.35', 'dominant_share_max: 0.95');
    const { code, error } = await run('check', '--folder', folder);
    assert.equal(code, 1);
    assert.match(error, /^scoring\.yaml:\d+:\d+ \/dominant_share_max: must be <= 0\.5\n/);
  });

  it('check names what is broken in the limits of joint modelling', async () => {
    change('joint.yaml', 'cohort_min: 100', 'cohort_min: 3');
    const { code, error } = await run('check', '--folder', folder);
    assert.equal(code, 1);
    assert.match(error, /^joint\.yaml:\d+:\d+ \/cohort_min: must be >= 10\n/);
  });

  it('check names a broken catalogue, and a folder that is not there', async () => {
    change('catalogue/tax.yaml', 'type: date', 'type: dates');
    assert.match((await run('check', '--folder', folder)).error, /tax\.yaml:\d+:1/);
    assert.equal((await run('check', '--folder', path.join(folder, 'nowhere'))).code, 1);
  });

  it('check --strict counts warnings', async () => {
    rmSync(path.join(folder, 'rules/utility.yaml'));
    const lax = await run('check', '--folder', folder);
    assert.equal(lax.code, 0);
    assert.match(lax.out, /warning rules\/utility\.yaml:1:1: the dataset utility has no rules/);
    assert.equal((await run('check', '--folder', folder, '--strict')).code, 1);
  });

  it('test runs the vectors, and exits with 1 when one fails or a rule has none', async () => {
    assert.match((await run('test', '--folder', folder, '--require-coverage')).out, /^(\d+) of \1 tests passed/);
    change('rules/tax.yaml', 'effect: { use: read, disposition: token, treatment: { method: token } }', 'effect: deny');
    const failed = await run('test', '--folder', folder);
    assert.equal(failed.code, 1);
    assert.match(failed.out, /failed "the largest customer is a token for large loans only, and never a name"\n {2}tests\/promises\.yaml:\d+:9/);
    rmSync(path.join(folder, 'tests/tax.yaml'));
    const uncovered = await run('test', '--folder', folder, '--require-coverage', '--json');
    assert.equal(uncovered.code, 1);
    assert.ok(JSON.parse(uncovered.out).uncoveredRules.includes('tax-verify-paid'));
  });

  it('explain says what would be disclosed and which consent is missing', async () => {
    const args = ['explain', '--folder', folder, '--purpose', 'pre_loan_review', '--class', 'commercial_bank', '--field', 'tax.declared_revenue_cents,owner.email'];
    const { code, out } = await run(...args);
    assert.equal(code, 0);
    assert.match(out, /tax\.declared_revenue_cents \(Declared sales revenue\)\n {2}Withheld: there is no valid grant\. With the enterprise's consent to the original: clear\./);
    assert.match(out, /owner\.email.*\n {2}In the catalogue, but no rule opens it/);
    assert.match((await run(...args, '--as-caller', '--language', 'zh')).out, /owner\.email\n {2}不可用。/);
    const json = JSON.parse((await run(...args, '--consent', 'desensitised', '--json')).out);
    assert.deepEqual([json.fields[0].now.disposition, json.fields[0].consentNeeded, json.grantNeeded.fields], ['band', 'original', { 'tax.declared_revenue_cents': 'original' }]);
  });

  it('explain takes facts with the type they are declared with', async () => {
    const args = ['explain', '--folder', folder, '--purpose', 'pre_loan_review', '--class', 'commercial_bank', '--field', 'credit.limit_cents', '--consent', 'original', '--json', '--fact'];
    const disposition = async (fact: string) => JSON.parse((await run(...args, fact)).out).fields?.[0].now.disposition;
    assert.deepEqual([await disposition('institution.security_level=4'), await disposition('institution.security_level=3'), await disposition('institution.security_level=x')], ['clear', 'band', 'withhold']);
    assert.equal((await run(...args, 'institution.level=4')).code, 2);
    assert.equal((await run(...args, 'institution.security_level')).code, 2);
  });

  it('diff says what a change opens, and exits as asked', async () => {
    assert.match((await run('diff', '--folder', folder, '--against', sample)).out, /^0 of \d+ combinations differ\. The two policies are the same\.\n$/);
    change('rules/customs.yaml', 'institution_classes: [commercial_bank, rural_bank, policy_bank]', 'institution_classes: [commercial_bank, rural_bank, policy_bank, guarantee_company]');
    const { code, out } = await run('diff', '--folder', folder, '--against', sample);
    assert.equal(code, 0);
    assert.match(out, /loosened +3 fields now clear instead of banded for 1 institution class: Financing guarantee company \(guarantee_company\); for .*; with consent to the original: Duty and import tax paid \(customs\.duty_paid_cents\)/);
    assert.equal((await run('diff', '--folder', folder, '--against', sample, '--fail-on', 'loosened')).code, 1);
    assert.equal((await run('diff', '--folder', sample, '--against', folder, '--fail-on', 'loosened')).code, 0);
    const json = JSON.parse((await run('diff', '--folder', sample, '--against', folder, '--fail-on', 'any', '--json')).out);
    assert.ok(json.changes.every((one: { risk: string }) => one.risk === 'tightened'));
  });

  it('exits with 2 when used wrongly and 0 for help', async () => {
    const wrong = [['nonsense'], ['diff'], ['check', '--nonsense'], ['explain', '--purpose', 'x'], ['explain', '--folder', folder, '--purpose', 'marketing', '--class', 'commercial_bank'],
      ['explain', '--folder', folder, '--purpose', 'pre_loan_review', '--class', 'casino'], ['explain', '--purpose', 'x', '--class', 'y', '--use', 'write']];
    for (const args of wrong) assert.equal((await run(...args)).code, 2, args.join(' '));
    for (const args of [['--help'], ['check', '--help'], ['test', '--help'], ['explain', '--help'], ['diff', '--help']]) {
      const { code, out } = await run(...args);
      assert.equal(code, 0);
      assert.match(out, /Usage:[\s\S]*Exit codes:/, args.join(' '));
    }
  });
});
