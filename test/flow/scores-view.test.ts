import { strict as assert } from 'node:assert';
import { openSealed } from '../../src/disclosure/open.ts';
import { parameterSets } from '../../src/he/parameters.ts';
import type { CustodianHalf } from '../../src/scoring/protocol.ts';
import { askedSubjects } from '../../src/scoring/run/asked-subjects.ts';
import { combineHalves } from '../../src/scoring/run/halves.ts';
import type { SubjectId } from '../../src/vocabulary.ts';
import { recordValues, scoringTerms, startScoreWorld, subjectOf, uploadFeatures, type ScoreWorld } from '../support/scoring.ts';
import { until } from '../support/until.ts';
import { captureResponses, type Capture } from './support/capture.ts';

/** Three enterprises whose features, and so whose scores, are as far apart as they can be. */
const extremes = new Map([[subjectOf(10), '0.00'], [subjectOf(11), '1.00'], [subjectOf(12), '0.37']].map(([subject, value]) => [subject as string, recordValues(0).map(() => value as string)]));

/** Two whose features are far apart and whose score and reason groups are the same: the first and the third feature weigh the same. */
const twins = new Map(([[subjectOf(13), '0.00', '1.00'], [subjectOf(14), '1.00', '0.00']] as const).map(([subject, first, third]) =>
  [subject as string, recordValues(0).with(0, first).with(2, third)]));

describe('flow: what a gateway sees of scores', () => {
  let world: ScoreWorld;
  let capture: Capture;
  before(async function () {
    this.timeout(90_000);
    capture = captureResponses(); // before the gateway takes hold of fetch
    world = await startScoreWorld({ enterprises: 1 });
    await world.grant(0);
    await world.bank.score(world.ask(0)); // the first score also writes which functions the model tells
    const all = new Map([...extremes, ...twins]);
    await uploadFeatures(world.platform, all);
    for (const subject of all.keys()) await (await world.platform.enterprise(subject)).grant('bank-a', { subject, ...scoringTerms });
  });
  after(async () => {
    capture.stop();
    await world.platform.close();
  });

  it('is the same whatever the score: what comes from the custodian, what is stored and what is logged differ in nothing but randomness and names', async () => {
    const { platform, model, bank } = world;
    const raws = new Map<string, number>();
    const views = new Map<string, string>();
    for (const subject of extremes.keys()) {
      const heard = async () => (await capture.from(platform.custodian?.url ?? '')).toString();
      const [answered, before, logged] = [(await heard()).length, await dump(), platform.logged().length];
      const { raw } = await bank.score({ subject, model: model.ref, purpose: scoringTerms.purpose });
      raws.set(subject, raw);
      const fromCustodian = (await heard()).slice(answered);
      const stored = (await dump()).filter((row) => !before.includes(row));
      // the log is written beside the answer, not before it
      await until('the score is logged', () => platform.logged().length >= logged + 100);
      const lines = platform.logged().slice(logged);
      for (const [where, text] of [['custodian', fromCustodian], ['database', stored.join('\n')], ['log', lines]] as const) {
        assert.ok(text.length > 100, where);
        assert.ok(!new RegExp(`(?<![0-9a-zA-Z_.-])(${raw}|${raw / model.scale})(?![0-9a-zA-Z_-])`).test(text), `${where} holds the score`);
      }
      views.set(subject, shapeOf(fromCustodian, subject) + shapeOf(stored.join('\n'), subject));
    }
    assert.equal(new Set(raws.values()).size, 3, 'the scores are far apart');
    assert.equal(new Set(views.values()).size, 1, [...views.values()].join('\n\n'));
  });

  it('and what a bank sees, of two enterprises with one score, is the same, however far apart their features are', async () => {
    const { platform, model, bank } = world;
    const { encryption } = await platform.credentials('bank-a');
    const shapes = new Set<string>();
    const sums = new Set<string>();
    const masked = new Set<string>();
    for (const subject of [...twins.keys(), ...twins.keys()]) {
      const { answer } = await bank.exchange({ subject, model: model.ref, purpose: scoringTerms.purpose });
      const open = (jwe: string, issuer: string) => openSealed(jwe, encryption!.privateKey, { issuer, audience: 'bank-a' });
      const halves = [await open(answer.sealed.custodian, answer.custodian), await open(answer.sealed.gateway, platform.gateway.gatewayUrl)] as const;
      const { modulus, values } = combineHalves(...halves, { model: model.ref, modulus: parameterSets['veilgate-score-1'].plainModulus, outputs: 3, subjects: askedSubjects([subject as SubjectId]) });
      sums.add(`${modulus} ${values.map((of) => of.join()).join(' ')}`);
      masked.add(JSON.stringify((halves[0] as unknown as CustodianHalf).masked));
      const words = JSON.stringify(halves).replaceAll(/"(?:masked|masks)":\[[^\]]*\]/g, ({ length }) => `<${length}>`);
      const { entry: { index: _index, ...entry }, ...rest } = answer;
      shapes.add(withoutRandom(JSON.stringify({ ...rest, entry }) + words, subject));
    }
    assert.equal(sums.size, 1, 'the score and its groups');
    assert.equal(masked.size, 4, 'masked anew each time');
    assert.equal(shapes.size, 1, [...shapes].join('\n\n'));
  });

  /** Every row of what a score writes. */
  async function dump(): Promise<string[]> {
    const tables = ['audit_entry', 'audit_request', 'scoring_tally', 'scoring_functional_set', 'score_release', 'grant_event', 'idempotency_key'];
    const { rows } = await world.platform.database.query<{ row: string }>(tables.map((table) => `select '${table} ' || row_to_json(t)::text as row from ${table} t`).join(' union all '));
    return rows.map(({ row }) => row);
  }
});

/** A text with every name, time, number and random part replaced by its kind, lengths of random parts kept. */
function shapeOf(text: string, subject: string): string {
  return withoutRandom(text.replaceAll(/^(date|keep-alive|connection|age): .*$/gm, '$1'), subject)
    .replaceAll(/(?<![<\d])\b\d+\b(?!>)/g, '#')
    .split('\n').sort().join('\n');
}

function withoutRandom(text: string, subject: string): string {
  return text
    .replaceAll(subject, '<subject>')
    .replaceAll(/\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|\+00:00)?/g, '<time>')
    .replaceAll(/(?:\\\\x)?[A-Za-z0-9_-]{16,}/g, (part) => `<${part.length}>`);
}
