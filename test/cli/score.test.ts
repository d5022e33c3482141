import { strict as assert } from 'node:assert';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { featureValues, rawOf, scoredFields, startScoreWorld, subjectOf, type ScoreWorld } from '../support/scoring.ts';
import { veilgate, type Ran } from './support/platform.ts';

describe('cli: score', () => {
  let world: ScoreWorld;
  let as: (party: string, ...line: string[]) => Promise<Ran>;
  const flags = ['--model', 'sme_growth@1', '--purpose', 'pre_loan_review'];

  before(async function () {
    this.timeout(90_000);
    world = await startScoreWorld({ enterprises: 2 });
    const { platform } = world;
    as = async (party, ...line) => {
      const file = path.join(platform.folder, `${party}.json`);
      writeFileSync(file, JSON.stringify(await platform.credentialsFile(party)), { mode: 0o600 });
      return veilgate(line, { env: { VEILGATE_CLI_GATEWAY: platform.gateway.gatewayUrl, VEILGATE_CLI_CREDENTIALS: file } });
    };
    await world.grant(0);
  });
  after(() => world.platform.close());

  it('shows score, band, what cost most and a checked receipt, and keeps it all sealed', async () => {
    const file = path.join(world.platform.folder, 'score.json');
    const { code, out, err } = await as('bank-a', 'score', 'one', subjectOf(0), ...flags, '--out', file);
    assert.deepEqual([code, err], [0, '']);
    const score = rawOf(world.model, featureValues(0)) / world.model.scale;
    assert.match(out, new RegExp(`score +${String(score).replace('.', '\\.')}\n`));
    assert.match(out, /band +(low|middle|high): Test/);
    assert.match(out, /1 +(cash|profit) +Weak (cash|profit)/);
    assert.match(out, /receipt +checked, kept in /);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const kept = readFileSync(file, 'utf8');
    assert.ok(!kept.includes(`"score":${score}`) && !kept.includes(`"raw"`), 'the file holds the halves, not the score');

    const opened = await as('bank-a', 'score', 'open', file);
    assert.deepEqual([opened.code, opened.err], [0, '']);
    assert.match(opened.out, /receipt +checked with the keys kept beside it/);
    assert.match(opened.out, new RegExp(`score +${String(score).replace('.', '\\.')}\n`));
    const json = JSON.parse((await as('bank-a', 'score', 'open', file, '--json')).out) as { score: number; model: string };
    assert.deepEqual([json.score, json.model], [score, world.model.ref]);

    const receipt = await as('bank-a', 'audit', 'receipt', file);
    assert.deepEqual([receipt.code, receipt.err], [0, '']);
    assert.match(receipt.out, /^The receipt is right/);
  });

  it('says of a changed file that its receipt is wrong, and of another\'s that it does not open', async () => {
    const file = path.join(world.platform.folder, 'score.json');
    const kept = JSON.parse(readFileSync(file, 'utf8')) as { answer: { grant: string } };
    const changed = path.join(world.platform.folder, 'changed.json');
    writeFileSync(changed, JSON.stringify({ ...kept, answer: { ...kept.answer, grant: 'A'.repeat(22) } }));
    assert.match((await as('bank-a', 'score', 'open', changed)).err, /^AUDIT_RECEIPT_INVALID/);
    assert.match((await as('bank-a', 'audit', 'receipt', changed)).err, /^AUDIT_RECEIPT_INVALID/);
    assert.match((await as('bank-b', 'score', 'open', file)).err, /^SCORE_UNREADABLE/);
    writeFileSync(changed, '{"format":"veilgate-score-1"}');
    assert.match((await as('bank-a', 'score', 'open', changed)).err, /^CONFIG_INVALID: This is no saved score/);
  });

  it('explains what is missing, with the grant to ask for, and when all is there', async () => {
    const ready = await as('bank-a', 'score', 'explain', subjectOf(0), ...flags);
    assert.deepEqual([ready.code, ready.err], [0, '']);
    assert.match(ready.out, /^Ready:/);
    assert.match(ready.out, /had of it +3 functions of its data; this model adds 0/);
    const missing = await as('bank-a', 'score', 'explain', subjectOf(1), ...flags);
    assert.match(missing.out, /^Not ready: the enterprise has not granted it to you\./);
    assert.match(missing.out, /grant needed: --purpose pre_loan_review --desensitised financials\./);
    const refused = await as('bank-a', 'score', 'one', subjectOf(1), ...flags);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /^CONSENT_REQUIRED[^]*grant needed/);
    assert.equal((await as('bank-a', 'score', 'one', subjectOf(0))).code, 2, 'model and purpose must be named');
  });

  it('says which fields behind the score the enterprise objects to', async () => {
    const { database } = world.platform;
    await database.query(
      `insert into objection (id, subject, submitted_by, submitted_ms, about, field, fault, department, state, due_on, accepted_ms)
       select $1, subject, id, 1, 'record', $2, 'wrong', 'finance_bureau', 'accepted', '2090-01-01', 1 from enterprise where subject = $3`, ['o'.repeat(22), scoredFields[0], subjectOf(0)]);
    const { code, out } = await as('bank-a', 'score', 'one', subjectOf(0), ...flags);
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^disputed +${scoredFields[0]?.replace('.', '\\.')}$`, 'm'));
  });
});
