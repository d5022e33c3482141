import { strict as assert } from 'node:assert';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import { assessInstitution } from '../../src/identity/registry/institution.ts';
import { policiesClient } from '../../src/sdk/policies.ts';
import type { Tx } from '../../src/store/database.ts';
import type { InstitutionId, PartyId } from '../../src/vocabulary.ts';
import { untilBlocked } from '../support/until.ts';
import { startSecondNode } from './support/second-node.ts';
import type { WireAnswer } from './support/wire.ts';
import { assertNothingDisclosed, startWorld, subject, terms, type World } from './support/world.ts';

type Policies = ReturnType<typeof policiesClient>;
type Released = { readonly index: number; readonly kind: string; readonly record: { readonly policy?: string; readonly outcomes?: readonly { readonly fields: readonly string[]; readonly disposition: string }[] } };

const field = 'tax.declared_revenue_cents';
const emergency = { field, purpose: terms.purpose, reason: 'wrong_values' };
const query = { subject, purpose: terms.purpose, read: [field, 'registry.name'] };

describe('flow: what changes while a query runs', () => {
  let world: World;
  let second: Awaited<ReturnType<typeof startSecondNode>>;
  let author: Policies;
  let reviewer: Policies;

  before(async function () {
    this.timeout(60_000);
    world = await startWorld();
    const { platform } = world;
    await platform.registrar.registerOfficer({ id: 'officer-second', name: { en: 'Second', zh: '第二' }, roles: ['compliance'], key: (await platform.credentials('officer-second')).signing.publicJwk });
    await platform.compliance.approveOfficer('officer-second');
    author = policiesClient(await platform.connect('officer-compliance', 'compliance'));
    reviewer = policiesClient(await platform.connect('officer-second', 'compliance'));
    second = await startSecondNode(platform);
  });
  after(async () => {
    await second.stop();
    await world.platform.close();
  });

  /** Uses of a day are few. */
  beforeEach(() => world.platform.database.query('update consent_grant set window_uses = 0'));

  /** But for `policy.loaded`, which each process says some time after it changed. */
  const entries = async (from: number) => (await world.platform.database.query<Released>("select index, kind, record::jsonb as record from audit_entry where index >= $1 and kind <> 'policy.loaded' order by index", [from])).rows;
  const logLength = async () => (await world.entries()).length;
  const discloses = ({ kind, record }: Released) => kind === 'query.released' && record.outcomes?.some(({ fields, disposition }) => fields.includes(field) && disposition !== 'withhold') === true;
  const usesOf = async () => (await world.platform.database.query<{ uses: number }>('select uses_total as uses from consent_grant where id = $1', [world.grant])).rows[0]?.uses;
  const withheldIn = ({ json }: WireAnswer) => ((json['withheld'] ?? []) as readonly { readonly field: string }[]).map((each) => each.field);

  /** Has a query decided and everything but its release done, has `change` happen meanwhile, and lets it go on. */
  async function interleaved(ask: () => Promise<WireAnswer>, change: (tx: Tx) => Promise<unknown>): Promise<WireAnswer> {
    return (await world.platform.database.transaction('hold', async (tx) => {
      await tx.query('select from consent_grant where subject = $1 for update', [subject]);
      const answer = ask();
      await untilBlocked(world.platform.database);
      await change(tx);
      return { answer };
    })).answer;
  }

  for (const node of ['the node that was told', 'another node'] as const) {
    it(`is answered without a field that was withheld meanwhile: ${node}`, async () => {
      const from = await logLength();
      let id = '';
      const answer = await interleaved(() => world.bank.query(query, node === 'another node' ? { origin: second.origin } : {}), async () => { id = (await author.withhold(emergency)).withhold.withhold; });
      try {
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(withheldIn(answer), [field]);
        const added = await entries(from);
        assert.deepEqual(added.map(({ kind }) => kind), ['policy.emergency_withheld', 'query.released']);
        assert.ok(!added.some(discloses), 'an answer of before the withhold stands after it in the log');
      } finally {
        await reviewer.lift(id);
      }
    });
  }

  it('is refused and logged when nothing of what it asks is left', async () => {
    const from = await logLength();
    let id = '';
    const answer = await interleaved(() => world.bank.query({ ...query, read: [field] }), async () => { id = (await author.withhold(emergency)).withhold.withhold; });
    await reviewer.lift(id);
    assert.equal(answer.code, 'QUERY_NOTHING_PERMITTED', answer.text);
    assert.deepEqual((await entries(from)).map(({ kind }) => kind), ['policy.emergency_withheld', 'query.refused', 'policy.emergency_lifted']);
  });

  it('discloses a withheld field nowhere after the withhold, however many ask on however many nodes', async () => {
    for (let round = 0; round < 3; round += 1) {
      const from = await logLength();
      const asking = Array.from({ length: 16 }, (_, at) => delay(at * 3).then(() => world.bank.query({ ...query, grant: world.grant }, at % 2 === 0 ? {} : { origin: second.origin })));
      await delay(12 * round);
      const { withhold: { withhold } } = await author.withhold(emergency);
      const answers = await Promise.all(asking);
      const added = await entries(from);
      const closed = added.findIndex(({ kind }) => kind === 'policy.emergency_withheld');
      assert.ok(closed >= 0 && !added.slice(closed).some(discloses));
      assert.equal(added.filter(discloses).length, answers.filter((answer) => answer.status === 200 && !withheldIn(answer).includes(field)).length);
      assert.ok(answers.every(({ status }) => status === 200), JSON.stringify(answers.map(({ status, code }) => code ?? status)));
      await reviewer.lift(withhold);
      await world.platform.database.query('update consent_grant set window_uses = 0');
    }
  });

  it('is not answered to a bank whose assessment is not passed any more (INSTITUTION_ASSESSMENT_MISSING), or passed on another level (DECISION_OUTDATED)', async () => {
    const { database } = world.platform;
    const assess = (tx: Tx, level: number, passed = true) => assessInstitution(tx, {
      institution: 'bank-a' as InstitutionId, by: 'officer-compliance' as PartyId, level, passed, validUntil: new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10), findingsDigest: 'b'.repeat(64),
    }, systemClock);
    for (const [code, level, passed] of [['INSTITUTION_ASSESSMENT_MISSING', 4, false], ['DECISION_OUTDATED', 2, true]] as const) {
      const from = await logLength();
      const asked = await database.transaction('assess', async (tx) => {
        await assess(tx, level, passed);
        const answer = world.bank.query(query);
        await untilBlocked(database);
        return { answer };
      });
      const answer = await asked.answer;
      assert.equal(answer.code, code, answer.text);
      assert.deepEqual((await entries(from)).map(({ kind }) => kind), ['query.refused']);
      await database.transaction('assess', (tx) => assess(tx, 4));
    }
    assert.equal((await world.bank.query(query)).status, 200);
  });

  it('is refused for now, and logged, where the process cannot follow what came into force (DECISION_OUTDATED)', async () => {
    const { database } = world.platform;
    const { withhold: { withhold } } = await author.withhold({ ...emergency, field: 'tax.period' });
    const { rows: [kept] } = await database.query<{ files: string }>("select files from policy_version where state = 'in_force'");
    try {
      await database.query("update policy_version set files = replace(files, 'dataset: tax', 'dataset: taxes') where state = 'in_force'");
      await reviewer.lift(withhold);
      const [from, uses] = [await logLength(), await usesOf()];
      const answer = await world.bank.query(query);
      assert.deepEqual([answer.code, answer.status, answer.headers.get('retry-after')], ['DECISION_OUTDATED', 503, '1'], answer.text);
      assertNothingDisclosed(answer);
      assert.deepEqual((await entries(from)).map(({ kind }) => kind), ['query.refused']);
      assert.equal(await usesOf(), uses);
    } finally {
      await database.query("update policy_version set files = $1 where state = 'in_force'", [kept?.files]);
    }
    assert.equal((await author.withhold(emergency).then(({ withhold: again }) => reviewer.lift(again.withhold))).withhold.ending, 'lifted');
    assert.equal((await world.bank.query(query)).status, 200);
  });
});
