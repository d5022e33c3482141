import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ModelJson } from '../../src/scoring/model/document.ts';
import type { ModelSummary, ModelView } from '../../src/sdk/models.ts';
import { root, startCliPlatform, type CliPlatform } from './support/platform.ts';

const linear = path.join(root, 'sample/models/solvency_linear-1.json');

describe('cli: models', () => {
  let stage: CliPlatform;
  const done = async (credentials: string | null, ...line: string[]) => {
    const ran = await stage.as(credentials, line);
    assert.deepEqual([ran.code, ran.err], [0, ''], line.join(' '));
    return ran.out;
  };
  const json = async <Value>(credentials: string, ...line: string[]) => JSON.parse(await done(credentials, ...line, '--json')) as Value;

  before(async function () {
    this.timeout(60_000);
    stage = await startCliPlatform();
    await done(null, 'key', 'generate', '--party', 'officer-review', '--out', stage.file('review.json'));
    writeFileSync(stage.file('review.keys.json'), await done(null, 'key', 'show', stage.file('review.json')));
    await done('registrar.json', 'officer', 'register', 'officer-review', '--name-en', 'Review', '--name-zh', '复核', '--role', 'compliance', '--key', stage.file('review.keys.json'));
    await done('security.json', 'officer', 'approve', 'officer-review');
  });
  after(() => stage.close());

  it('takes a model from a file to approval by another officer, and out of use again', async () => {
    assert.equal(await done('security.json', 'model', 'check', linear), 'The model keeps all limits.\n');
    assert.match(await done('security.json', 'model', 'propose', linear), /solvency_linear@1 is proposed\. Next: another officer reviews it/);
    const { digest, state } = await json<ModelView>('review.json', 'model', 'show', 'solvency_linear@1');
    assert.equal(state, 'proposed');
    const own = await stage.as('security.json', ['model', 'approve', 'solvency_linear@1', '--digest', digest]);
    assert.deepEqual([own.code, own.err.split(':')[0]], [1, 'MODEL_SAME_PERSON']);
    assert.equal(await done('review.json', 'model', 'approve', 'solvency_linear@1', '--digest', digest), 'solvency_linear@1 is approved now.\n');
    const { models } = await json<{ models: readonly ModelSummary[] }>('auditor.json', 'model', 'list', '--state', 'approved');
    assert.deepEqual(models.map(({ ref, decided_by }) => [ref, decided_by]), [['solvency_linear@1', 'officer-review']]);
    assert.match(await done('review.json', 'model', 'list'), /solvency_linear@1 +Solvency, linear +approved/);
    assert.match(await done('review.json', 'model', 'show', 'solvency_linear@1'), /financials\/debt_ratio +-87 +-\n/);
    assert.equal(await done('review.json', 'model', 'retire', 'solvency_linear@1', '--reason', 'superseded'), 'solvency_linear@1 is retired now.\n');
  });

  it('says in words and by its exit code why a model is refused', async () => {
    const model = JSON.parse(readFileSync(linear, 'utf8')) as ModelJson;
    writeFileSync(stage.file('greedy.json'), JSON.stringify({ ...model, ref: 'greedy@1', terms: model.terms.map((term, at) => ({ ...term, weight: at === 0 ? 500 : 1 })) }));
    const checked = await stage.as('security.json', ['model', 'check', stage.file('greedy.json')]);
    assert.equal(checked.code, 1);
    assert.match(checked.out, /^The model is refused\.\neffective_features +The score rests on/);
    assert.match(checked.out, /dominant_share +financials\.roa_before_interest_depreciation makes up 96\.3 % of the score/);
    const proposed = await stage.as('security.json', ['model', 'propose', stage.file('greedy.json')]);
    assert.equal(proposed.code, 1);
    assert.match(proposed.err, /^MODEL_REFUSED: [\s\S]*limits broken:\n +rule +problem\n/);
    writeFileSync(stage.file('broken.json'), JSON.stringify({ ...model, colour: 'red' }));
    const broken = await stage.as('security.json', ['model', 'check', stage.file('broken.json')]);
    assert.match(broken.err, /^MODEL_INVALID/);
  });

  it('tries a proposal on made-up enterprises', async () => {
    const model = JSON.parse(readFileSync(path.join(root, 'sample/models/sme_scorecard-1.json'), 'utf8')) as ModelJson;
    writeFileSync(stage.file('tried.json'), JSON.stringify({ ...model, ref: 'tried@1' }));
    await done('security.json', 'model', 'propose', stage.file('tried.json'));
    const out = await done('review.json', 'model', 'try', 'tried@1', '--count', '2000', '--seed', '3');
    assert.match(out, /enterprises +2000, made up with seed 3/);
    assert.match(out, /costliest reason +enterprises\nR1 +\d/);
    const { digest } = await json<ModelView>('review.json', 'model', 'show', 'tried@1');
    assert.equal(await done('review.json', 'model', 'refuse', 'tried@1', '--digest', digest, '--reason', 'trial_only'), 'tried@1 is refused now.\n');
  });

  it('turns PMML into a document that can be checked, and never overwrites a file', async () => {
    writeFileSync(stage.file('card.pmml'), `<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><RegressionModel functionName="regression"><RegressionTable intercept="100">${
      ['roa_after_tax', 'debt_ratio', 'persistent_eps', 'cash_to_assets', 'tax_rate', 'net_value_per_share'].map((name, at) => `<NumericPredictor name="${name}" coefficient="${20 + 3 * at}"/>`).join('')
    }</RegressionTable></RegressionModel></PMML>`);
    const line = ['model', 'import', stage.file('card.pmml'), '--ref', 'imported@1', '--title-en', 'Imported', '--title-zh', '导入', '--purpose', 'pre_loan_review', '--class', 'commercial_bank', '--out', stage.file('imported.json')];
    assert.match(await done('security.json', ...line), /features +6\n[\s\S]*raw per point +100\nrounding error +0 points at most/);
    assert.equal(await done('security.json', 'model', 'check', stage.file('imported.json')), 'The model keeps all limits.\n');
    const again = await stage.as('security.json', line);
    assert.match(again.err, /^CONFIG_INVALID: The file is there already/);
    writeFileSync(stage.file('card.pmml'), '<!DOCTYPE x SYSTEM "file:///etc/hostname"><PMML/>');
    const hostile = await stage.as('security.json', line);
    assert.match(hostile.err, /^MODEL_FILE_REFUSED: The file has a document type/);
  });
});
