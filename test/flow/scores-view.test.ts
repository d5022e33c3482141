import { strict as assert } from 'node:assert';
import { recordValues, scoringTerms, startScoreWorld, subjectOf, uploadFeatures, type ScoreWorld } from '../support/scoring.ts';
import { captureResponses, type Capture } from './support/capture.ts';

/** Three enterprises whose features, and so whose scores, are as far apart as they can be. */
const extremes = new Map([[subjectOf(10), '0.00'], [subjectOf(11), '1.00'], [subjectOf(12), '0.37']].map(([subject, value]) => [subject as string, recordValues(0).map(() => value as string)]));

describe('flow: what a gateway sees of scores', () => {
  let world: ScoreWorld;
  let capture: Capture;
  before(async function () {
    this.timeout(90_000);
    capture = captureResponses(); // before the gateway takes hold of fetch
    world = await startScoreWorld({ enterprises: 1 });
    await world.grant(0);
    await world.bank.score(world.ask(0)); // the first score also writes which functions the model tells
    await uploadFeatures(world.platform, extremes);
    for (const subject of extremes.keys()) await (await world.platform.enterprise(subject)).grant('bank-a', { subject, ...scoringTerms });
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

  /** Every row of what a score writes. */
  async function dump(): Promise<string[]> {
    const tables = ['audit_entry', 'audit_request', 'scoring_tally', 'scoring_functional_set', 'score_release', 'grant_event', 'idempotency_key'];
    const { rows } = await world.platform.database.query<{ row: string }>(tables.map((table) => `select '${table} ' || row_to_json(t)::text as row from ${table} t`).join(' union all '));
    return rows.map(({ row }) => row);
  }
});

/** A text with every name, time, number and random part replaced by its kind, lengths of random parts kept. */
function shapeOf(text: string, subject: string): string {
  return text
    .replaceAll(subject, '<subject>')
    .replaceAll(/\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|\+00:00)?/g, '<time>')
    .replaceAll(/^(date|keep-alive|connection|age): .*$/gm, '$1')
    .replaceAll(/(?:\\\\x)?[A-Za-z0-9_-]{16,}/g, (part) => `<${part.length}>`)
    .replaceAll(/(?<![<\d])\b\d+\b(?!>)/g, '#')
    .split('\n').sort().join('\n');
}
