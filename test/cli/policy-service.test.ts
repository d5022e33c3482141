import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { PolicyVersionView } from '../../src/sdk/policies.ts';
import { startCliPlatform, type CliPlatform } from './support/platform.ts';

describe('cli: the policy on the platform', () => {
  let stage: CliPlatform;
  const done = async (credentials: string | null, ...line: string[]) => {
    const ran = await stage.as(credentials, line);
    assert.deepEqual([ran.code, ran.err], [0, ''], line.join(' '));
    return ran.out;
  };
  const json = async <Value>(credentials: string, ...line: string[]) => JSON.parse(await done(credentials, ...line, '--json')) as Value;
  const mine = (name = '') => path.join(stage.file('mine'), name);
  const edit = (file: string, text: string) => writeFileSync(file, `${readFileSync(file, 'utf8')}${text}`);
  const denied = '\n  - id: tax-invoiced-never\n    description: { en: Never., zh: 从不。 }\n    fields: [invoiced_cents]\n    purposes: [post_loan_monitoring]\n    institution_classes: [\'*\']\n    consent: [original, desensitised]\n    effect: deny\n';

  before(async function () {
    this.timeout(60_000);
    stage = await startCliPlatform();
    await done(null, 'key', 'generate', '--party', 'officer-review', '--out', stage.file('review.json'));
    writeFileSync(stage.file('review.keys.json'), await done(null, 'key', 'show', stage.file('review.json')));
    await done('registrar.json', 'officer', 'register', 'officer-review', '--name-en', 'Review', '--name-zh', '复核', '--role', 'compliance', '--key', stage.file('review.keys.json'));
    await done('security.json', 'officer', 'approve', 'officer-review');
  });
  after(() => stage.close());

  it('is pulled, changed, proposed, reviewed and approved by another officer', async () => {
    const unpulled = await stage.as('security.json', ['policy', 'push', '--folder', stage.folder, '--comment', 'x']);
    assert.deepEqual([unpulled.code, unpulled.err.split(':')[0]], [2, 'CONFIG_INVALID']);
    assert.match(await done('security.json', 'policy', 'pull', '--folder', mine()), /version +1\nwritten +\d\d\n/);
    edit(mine('rules/tax.yaml'), denied);
    assert.match(await done('security.json', 'policy', 'propose', '--folder', mine(), '--comment', 'Invoices are not for monitoring'), /^Version 2 is proposed\. Next: another officer reviews it \(veilgate policy review 2\)/);
    const shown = await done('review.json', 'policy', 'review', '2', '--replay', '100');
    assert.match(shown, /tightened .*invoiced_cents/);
    assert.match(shown, /Of 0 past queries 0 would have got more, 0 less/);
    const { review: { version } } = await json<{ review: { version: PolicyVersionView } }>('review.json', 'policy', 'review', '2');
    const own = await stage.as('security.json', ['policy', 'approve', '2', '--digest', version.digest, '--comment', 'mine']);
    assert.deepEqual([own.code, own.err.split(':')[0]], [1, 'POLICY_SAME_PERSON']);
    assert.equal(await done('review.json', 'policy', 'approve', '2', '--digest', version.digest, '--comment', 'fine'), 'Version 2 is in force now.\n');
    assert.match(await done('auditor.json', 'policy', 'history'), /2 +in_force +officer-security .* officer-review .*Invoices are not for monitoring\n1 +superseded/);
  });

  it('never overwrites: a file changed on both sides stops the pull, others come in beside what was changed here', async () => {
    await done('review.json', 'policy', 'pull', '--folder', stage.file('theirs'));
    await done('security.json', 'policy', 'pull', '--folder', mine());
    edit(path.join(stage.file('theirs'), 'rules/owner.yaml'), '# theirs\n');
    const { version, digest } = await json<PolicyVersionView>('review.json', 'policy', 'propose', '--folder', stage.file('theirs'), '--comment', 'theirs');
    await done('security.json', 'policy', 'approve', String(version), '--digest', digest, '--comment', 'fine');

    edit(mine('rules/tax.yaml'), '# mine\n');
    const stale = await stage.as('security.json', ['policy', 'push', '--folder', mine(), '--comment', 'mine']);
    assert.equal(stale.code, 1);
    assert.match(stale.err, /^POLICY_BASIS_STALE: This changes version 2, and version 3 is in force by now/);
    assert.match(stale.err, /theirs +rules\/owner\.yaml\n +yours +rules\/tax\.yaml/);
    assert.match(await done('security.json', 'policy', 'pull', '--folder', mine()), /written +1\n.*\nchanged here, kept +rules\/tax\.yaml/);
    assert.match(readFileSync(mine('rules/tax.yaml'), 'utf8'), /# mine\n$/);
    assert.match(readFileSync(mine('rules/owner.yaml'), 'utf8'), /# theirs\n$/);

    edit(mine('rules/owner.yaml'), '# mine too\n');
    await done('review.json', 'policy', 'pull', '--folder', stage.file('theirs'));
    edit(path.join(stage.file('theirs'), 'rules/owner.yaml'), '# theirs again\n');
    const again = await json<PolicyVersionView>('review.json', 'policy', 'push', '--folder', stage.file('theirs'), '--comment', 'theirs again');
    await done('security.json', 'policy', 'approve', String(again.version), '--digest', again.digest, '--comment', 'fine');
    const before = readFileSync(mine('rules/owner.yaml'), 'utf8');
    const both = await stage.as('security.json', ['policy', 'pull', '--folder', mine()]);
    assert.match(both.err, /^POLICY_BASIS_STALE: Changed here and on the platform: rules\/owner\.yaml\. Nothing was written/);
    assert.equal(readFileSync(mine('rules/owner.yaml'), 'utf8'), before);
  });

  it('is refused with every place when it does not load', async () => {
    await done('security.json', 'policy', 'pull', '--folder', stage.file('typo'));
    edit(path.join(stage.file('typo'), 'rules/tax.yaml'), denied.replace('invoiced_cents', 'invoised_cents').replace('never', 'typo'));
    const { code, err } = await stage.as('security.json', ['policy', 'propose', '--folder', stage.file('typo'), '--comment', 'typo']);
    assert.equal(code, 1);
    assert.match(err, /^rules\/tax\.yaml:\d+:\d+: tax has no field "invoised_cents" \(did you mean "invoiced_cents"\?\)/);
    assert.match(err, /POLICY_BROKEN: /);
  });

  it('goes back, refuses, withdraws, withholds and lifts', async () => {
    const back = await json<PolicyVersionView>('security.json', 'policy', 'rollback', '1', '--comment', 'as it was');
    assert.equal(await done('review.json', 'policy', 'refuse', String(back.version), '--digest', back.digest, '--comment', 'no'), `Version ${back.version} is refused now.\n`);
    const other = await json<PolicyVersionView>('security.json', 'policy', 'rollback', '1', '--comment', 'as it was');
    assert.equal(await done('security.json', 'policy', 'withdraw', String(other.version), '--comment', 'no'), `Version ${other.version} is withdrawn now.\n`);
    const said = await done('security.json', 'policy', 'withhold', 'owner.phone', '--purpose', 'pre_loan_review', '--reason', 'wrong_values');
    const id = /now \(([0-9a-f]{16})\)/.exec(said)?.[1] ?? '';
    assert.match(await done('auditor.json', 'policy', 'withholds'), new RegExp(`${id} +owner\\.phone +pre_loan_review +wrong_values`));
    assert.equal(await done('review.json', 'policy', 'lift', id), 'owner.phone is no longer withheld for pre_loan_review.\n');
    await done('auditor.json', 'policy', 'pull', '--folder', stage.file('first'), '--number', '1');
    assert.ok(existsSync(path.join(stage.file('first'), '.veilgate-policy.json')));
    assert.match(await done(null, 'policy', 'diff', '--folder', mine(), '--catalogue', 'policies/catalogue', '--against', stage.file('first')), /invoiced_cents/);
  });
});
