import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cohortOf } from '../../src/joint/cohort/registry.ts';
import { alignList } from '../../src/sdk/alignment.ts';
import type { CohortSummary, JointProjectView } from '../../src/sdk/joint.ts';
import { consentTo, jointProject, startJointStage, subjects, type JointStage } from '../support/joint.ts';
import { veilgate, type Ran } from './support/platform.ts';

describe('cli: joint modelling', () => {
  let stage: JointStage;
  let cohort: CohortSummary;
  const file = (name: string) => path.join(stage.platform.folder, name);
  const as = (party: string, ...line: string[]): Promise<Ran> => veilgate(['--gateway', stage.platform.gateway.gatewayUrl, '--credentials', file(`${party}.json`), ...line]);
  const done = async (party: string, ...line: string[]) => {
    const ran = await as(party, ...line);
    assert.deepEqual([ran.code, ran.err], [0, ''], line.join(' '));
    return ran.out;
  };
  const json = async <Value>(party: string, ...line: string[]) => JSON.parse(await done(party, ...line, '--json')) as Value;

  before(async function () {
    this.timeout(60_000);
    stage = await startJointStage();
    for (const party of ['bank-a', 'officer-compliance', 'officer-second', 'officer-third', 'officer-auditor']) writeFileSync(file(`${party}.json`), JSON.stringify(await stage.platform.credentialsFile(party)), { mode: 0o600 });
    writeFileSync(file('project.json'), JSON.stringify(jointProject()));
  });
  after(() => stage.platform.close());

  it('takes a project from a file to two approvals, and shows what is left of its budget', async () => {
    const proposed = await json<{ id: string; digest: string }>('bank-a', 'joint', 'project', 'propose', file('project.json'));
    assert.match(await done('bank-a', 'joint', 'project', 'show', proposed.id), /debt_ratio +financials\.debt_ratio +bins at 0\.1, 0\.2, 0\.4\n[\s\S]*capital +registry\.registered_capital_cents +20 steps from 0 to 1000000000/);
    assert.equal(await done('bank-a', 'joint', 'project', 'balances', proposed.id), 'The project has no accounts before it is approved.\n');
    assert.equal(await done('officer-second', 'joint', 'project', 'approve', proposed.id, '--digest', proposed.digest), `${proposed.id} is proposed now, with 1 of 2 approvals.\n`);
    assert.equal(await done('officer-third', 'joint', 'project', 'approve', proposed.id, '--digest', proposed.digest), `${proposed.id} is approved now.\n`);
    assert.match(await done('officer-auditor', 'joint', 'project', 'balances', proposed.id), /dataset\/financials +\d/);
    assert.match(await done('officer-auditor', 'joint', 'project', 'list'), /Default of small enterprises +bank-a +approved/);
    assert.equal((await json<JointProjectView>('bank-a', 'joint', 'project', 'show', proposed.id)).approvals.length, 2);

    const other = await json<{ id: string; digest: string }>('officer-second', 'joint', 'project', 'propose', file('project.json'));
    assert.equal(await done('officer-second', 'joint', 'project', 'refuse', other.id, '--digest', other.digest, '--reason', 'no_need'), `${other.id} is refused now.\n`);
    const stopped = await stage.approved();
    assert.equal(await done('officer-second', 'joint', 'project', 'stop', stopped, '--reason', 'complaint'), `${stopped} is stopped now.\n`);
    const ended = await stage.approved();
    assert.equal(await done('bank-a', 'joint', 'project', 'end', ended), `${ended} is ended now.\n`);
  });

  it('forms a cohort and writes where one\'s customers stand in it', async () => {
    const project = await stage.approved();
    const refused = await as('bank-a', 'joint', 'cohort', 'form', project);
    assert.deepEqual([refused.code, refused.err.split(':')[0]], [1, 'COHORT_REFUSED']);
    await consentTo(stage.platform.database, 'bank-a', subjects(0, 100));
    cohort = await json<CohortSummary>('bank-a', 'joint', 'cohort', 'form', project);
    assert.match(await done('bank-a', 'joint', 'cohort', 'show', cohort.id), /fresh: yes/);
    assert.match(await done('bank-a', 'joint', 'cohort', 'list', project), new RegExp(`${cohort.id} +100`));
    const list = subjects(95, 105);
    writeFileSync(file('customers.csv'), `subject\n${list.join('\n')}\n`);
    assert.match(await done('bank-a', 'joint', 'cohort', 'align', cohort.id, file('customers.csv'), '--out', file('positions.csv')), /listed +10\nin the cohort +5\n/);
    const { members } = await cohortOf(stage.platform.database, cohort.id);
    assert.equal(readFileSync(file('positions.csv'), 'utf8'), `subject,position\n${list.map((code) => `${code},${members.includes(code) ? members.indexOf(code) : ''}\n`).join('')}`);
    assert.equal(statSync(file('positions.csv')).mode & 0o777, 0o600);
    assert.equal(existsSync(file('positions.csv.alignment.json')), false);
  });

  it('goes on with an interrupted alignment, from a file that others cannot read', async () => {
    const list = subjects(95, 105);
    const stateFile = file('again.csv.alignment.json');
    const broken = { ...stage.partner.steps, cohortPoints: () => Promise.reject(new Error('the network broke')) };
    await assert.rejects(alignList(broken, cohort.id, list, { onOpen: (state) => writeFileSync(stateFile, JSON.stringify({ format: 'veilgate-alignment-1', ...state }), { mode: 0o644 }) }), /network/);
    const line = ['joint', 'cohort', 'align', cohort.id, file('customers.csv'), '--out', file('again.csv')];
    assert.match((await as('bank-a', ...line)).err, /^CONFIG_INSECURE/);
    writeFileSync(file('other.csv.alignment.json'), '{}', { mode: 0o600 });
    assert.match((await as('bank-a', ...line.with(-1, file('other.csv')))).err, /^CONFIG_INVALID/);
    const state = readFileSync(stateFile);
    (await import('node:fs')).rmSync(stateFile);
    writeFileSync(stateFile, state, { mode: 0o600 });
    const before = await runs();
    await done('bank-a', ...line);
    assert.equal(await runs(), before, 'no run was begun');
    assert.equal(readFileSync(file('again.csv'), 'utf8'), readFileSync(file('positions.csv'), 'utf8'));
    assert.match((await as('bank-a', ...line)).err, /^CONFIG_INVALID: The file is there already/);
  });

  const runs = async () => (await stage.platform.database.query<{ runs: number }>('select count(*)::integer as runs from joint_alignment')).rows[0]?.runs;
});
