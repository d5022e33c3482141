import { strict as assert } from 'node:assert';
import { isVeilgateError, type ErrorCode } from '../../src/errors.ts';
import { policiesClient, type PolicyFiles } from '../../src/sdk/policies.ts';
import { enforceDue } from '../../src/gateway/use-cases/policy-versions.ts';
import { proposeExpired } from '../../src/gateway/use-cases/policy-withholds.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import type { TimeMs } from '../../src/vocabulary.ts';
import { startSecondNode } from '../flow/support/second-node.ts';
import { startWorld, subject, type World } from '../flow/support/world.ts';
import { until } from '../support/until.ts';

type Policies = ReturnType<typeof policiesClient>;
type Node = Awaited<ReturnType<typeof startSecondNode>>;
const codeOf = (attempt: Promise<unknown>) => attempt.then(() => 'done', (error: unknown) => (isVeilgateError(error) ? error.code : error));
const thrownBy = (attempt: Promise<unknown>, code: ErrorCode) => attempt.then(() => assert.fail(`${code} expected`), (error: unknown) => {
  assert.ok(isVeilgateError(error, code), String(error));
  return error.detail ?? {};
});
const dayMs = 86_400_000;
const rule = (id: string, effect: string, purpose = 'post_loan_monitoring', institutionClass = 'credit_bureau', field = 'declared_revenue_cents') =>
  `\n  - id: ${id}\n    description: { en: More., zh: 更多。 }\n    fields: [${field}]\n    purposes: [${purpose}]\n    institution_classes: ['${institutionClass}']\n    consent: [original, desensitised]\n    effect: ${effect}\n`;

describe('policies at the gateway', () => {
  let world: World;
  let second: Node;
  let author: Policies;
  let reviewer: Policies;
  let auditor: Policies;
  const catalogue = loadCatalogue('policies/catalogue');
  const stored = () => ({ database: world.platform.database, catalogue, source: 'database' as const });
  const log = async (like: string) => (await world.platform.database.query<{ kind: string; actor: string; version: string | null }>("select kind, actor, record::jsonb ->> 'version' as version from audit_entry where kind like $1 order by index", [like])).rows;
  const asks = async (origin = world.platform.gateway.gatewayUrl) => world.bank.query({ subject, purpose: 'pre_loan_review', read: ['tax.declared_revenue_cents', 'registry.name'] }, { origin });
  const commented = (files: PolicyFiles, text: string, file = 'rules/tax.yaml') => ({ [file]: `${files[file] ?? ''}\n# ${text}\n` });

  /** Proposes a change of the version in force and has the other officer approve it. */
  async function pass(changes: Readonly<Record<string, string | null>>): Promise<number> {
    const { version: { version: basis } } = await author.inForce();
    const { version } = await author.propose({ basis, changes, comment: 'change' });
    await reviewer.approve(version.version, version.digest, 'fine');
    return version.version;
  }

  before(async function () {
    this.timeout(60_000);
    world = await startWorld();
    const { platform } = world;
    await platform.registrar.registerOfficer({ id: 'officer-second', name: { en: 'Second', zh: '第二' }, roles: ['compliance'], key: (await platform.credentials('officer-second')).signing.publicJwk });
    await platform.compliance.approveOfficer('officer-second');
    author = policiesClient(await platform.connect('officer-compliance', 'compliance'));
    reviewer = policiesClient(await platform.connect('officer-second', 'compliance'));
    auditor = policiesClient(await platform.connect('officer-auditor', 'audit'));
    second = await startSecondNode(platform);
  });
  after(async () => {
    await second.stop();
    await world.platform.close();
  });

  it('begin with the pack of the folder', async () => {
    const { version, files } = await auditor.inForce();
    assert.deepEqual([version.version, version.origin, version.state, version.proposed_by], [1, 'pack', 'in_force', null]);
    assert.ok(files['purposes.yaml'] !== undefined && files['tests/tax.yaml'] !== undefined);
    assert.equal(((await asks()).json as { policy: string }).policy, version.policy);
  });

  it('change when a second officer approves the very files, on every node, and each step is in the log', async () => {
    const { version: { version: basis }, files } = await author.inForce();
    const rules = (files['rules/tax.yaml'] ?? '') + rule('tax-invoiced-never', 'deny', 'post_loan_monitoring', '*', 'invoiced_cents');
    const { version: proposal } = await author.propose({ basis, changes: { 'rules/tax.yaml': rules }, comment: '<b>less</b>' });
    assert.deepEqual([proposal.state, proposal.basis, proposal.proposed_by, proposal.comment], ['proposed', 1, 'officer-compliance', '<b>less</b>']);
    assert.equal(await codeOf(author.approve(proposal.version, proposal.digest, 'mine')), 'POLICY_SAME_PERSON');
    assert.equal(await codeOf(reviewer.approve(proposal.version, 'f'.repeat(64), 'unread')), 'POLICY_CHANGED');
    assert.equal(await codeOf(auditor.approve(proposal.version, proposal.digest, 'not my part')), 'TOKEN_SCOPE_INSUFFICIENT');
    assert.equal((await author.inForce()).version.version, 1, 'a proposal is not in force');

    const { version: approved } = await reviewer.approve(proposal.version, proposal.digest, 'fine');
    assert.deepEqual([approved.state, approved.decided_by, approved.decision_comment], ['in_force', 'officer-second', 'fine']);
    assert.equal(((await asks()).json as { policy: string }).policy, proposal.policy);
    await until('the other node decides by it', async () => ((await asks(second.origin)).json as { policy: string }).policy === proposal.policy);
    assert.equal((await author.read(1)).version.state, 'superseded');
    assert.equal(await codeOf(reviewer.approve(proposal.version, proposal.digest, 'again')), 'POLICY_STATE_CONFLICT');
    assert.deepEqual((await log('policy.%')).filter(({ version }) => version === String(proposal.version)).map(({ kind, actor }) => [kind, actor]),
      [['policy.proposed', 'officer-compliance'], ['policy.approved', 'officer-second'], ['policy.in_force', 'platform']]);
  });

  it('cannot be approved by their author, not even past the code', async () => {
    const { version: { version: basis }, files } = await author.inForce();
    const { version } = await author.propose({ basis, changes: commented(files, 'shortcut'), comment: 'shortcut' });
    await assert.rejects(world.platform.database.query("update policy_version set state = 'approved', decided_by = proposed_by, decided_ms = 1 where number = $1", [version.version]), /policy_version_four_eyes/);
    assert.equal((await author.withdraw(version.version, 'a test')).version.state, 'withdrawn');
  });

  it('conflict with what came into force meanwhile: both sides are named and nothing is overwritten', async () => {
    const { version: { version: basis }, files } = await author.inForce();
    const { version: first } = await author.propose({ basis, changes: commented(files, 'mine'), comment: 'one' });
    const { version: other } = await reviewer.propose({ basis, changes: { ...commented(files, 'theirs'), ...commented(files, 'theirs', 'rules/owner.yaml') }, comment: 'two' });
    await author.approve(other.version, other.digest, 'fine');
    const detail = await thrownBy(reviewer.approve(first.version, first.digest, 'late'), 'POLICY_BASIS_STALE');
    assert.deepEqual([detail['basis'], detail['in_force'], detail['theirs'], detail['yours'], detail['both']], [basis, other.version, ['rules/owner.yaml', 'rules/tax.yaml'], ['rules/tax.yaml'], ['rules/tax.yaml']]);
    assert.equal(await codeOf(author.propose({ basis, changes: commented(files, 'again'), comment: 'late' })), 'POLICY_BASIS_STALE');
    assert.equal((await author.review(first.version)).basis_in_force, false);
    assert.equal((await reviewer.refuse(first.version, first.digest, 'outdated')).version.state, 'refused');
    assert.equal((await author.inForce()).version.version, other.version);
  });

  it('are refused with the place when they do not load, and when their own tests fail', async () => {
    const { version: { version: basis }, files } = await author.inForce();
    const broken = await thrownBy(author.propose({ basis, changes: { 'rules/tax.yaml': (files['rules/tax.yaml'] ?? '').replace('fields: [period,', 'fields: [perod,') }, comment: 'typo' }), 'POLICY_BROKEN');
    const [problem] = broken['problems'] as readonly { file: string; line: number; column: number; problem: string }[];
    assert.deepEqual([problem?.file, problem?.line, problem?.column], ['rules/tax.yaml', 9, 14]);
    assert.match(problem?.problem ?? '', /did you mean "period"/);
    const failing = await thrownBy(author.propose({ basis, changes: { 'rules/registry.yaml': 'dataset: registry\nrules: []\n' }, comment: 'nothing' }), 'POLICY_TESTS_FAILED');
    const [failure] = failing['failures'] as readonly { file: string; test: string; line: number }[];
    assert.ok(Number(failing['count']) > 3 && failure !== undefined && failure.line > 1 && failure.test.length > 5);
    assert.equal(await codeOf(author.propose({ basis, changes: {}, comment: 'nothing' })), 'REQUEST_INVALID');
    assert.equal(await codeOf(author.propose({ basis: 999, changes: {}, comment: 'nothing' })), 'POLICY_VERSION_NOT_FOUND');
    assert.equal(await codeOf(author.review(999)), 'POLICY_VERSION_NOT_FOUND');
  });

  it('show a reviewer what changes in full, what to look at, and how past queries would have come out, without a value', async () => {
    const { version: { version: basis }, files } = await author.inForce();
    const rules = (files['rules/tax.yaml'] ?? '') + rule('tax-revenue-now-clear', '{ use: read, disposition: clear }').replace('original, desensitised', 'original');
    const without = Object.fromEntries(Object.entries(files).filter(([file]) => file !== 'tests/promises.yaml'));
    const { version } = await author.propose({ basis, files: { ...without, 'rules/tax.yaml': rules }, comment: 'more' });
    const review = await reviewer.review(version.version);
    assert.ok(review.changes.some(({ risk, words }) => risk === 'loosened' && /declared_revenue_cents/.test(words.en) && /credit_bureau/.test(words.en)));
    assert.deepEqual(['loosens', 'removes_tests', 'rules_without_test'].filter((mark) => !review.marks.includes(mark)), []);
    assert.ok(!review.marks.includes('opens_personal') && review.tests.failures.length === 0 && review.basis_in_force);
    const replayed = await reviewer.replay(version.version, 10_000);
    assert.ok(replayed.queries >= 2);
    assert.deepEqual([replayed.more, replayed.less, replayed.same], [0, 0, replayed.queries]);
    await author.withdraw(version.version, 'shown');

    const denied = (files['rules/tax.yaml'] ?? '') + rule('tax-revenue-never', 'deny', 'pre_loan_review', '*');
    const { version: less } = await author.propose({ basis, changes: { 'rules/tax.yaml': denied, 'tests/tax.yaml': null, 'tests/promises.yaml': null, 'tests/features.yaml': null }, comment: 'less' });
    const { less: fewer, unlike_record: unlike, fields, institutions } = await reviewer.replay(less.version);
    assert.ok(fewer >= 2 && unlike === 0);
    assert.deepEqual(fields.map(({ field, use, less: count }) => [field, use, count]), [['tax.declared_revenue_cents', 'read', fewer]]);
    assert.deepEqual(institutions.map(({ institution, less: count }) => [institution, count]), [['bank-a', fewer]]);
    await author.withdraw(less.version, 'shown');
  });

  it('come into force at their time, by whichever process is there: one that died after the approval changes nothing', async () => {
    const { version: { version: basis }, files } = await author.inForce();
    const { version } = await author.propose({ basis, changes: commented(files, 'later'), comment: 'later', effective_at: new Date(Date.now() + dayMs).toISOString() });
    assert.equal((await reviewer.approve(version.version, version.digest, 'fine')).version.state, 'approved');
    await new Promise((resolve) => { setTimeout(resolve, 600); });
    assert.equal((await author.inForce()).version.version, basis, 'not before its time');
    const { version: rival } = await author.propose({ basis, changes: commented(files, 'rival'), comment: 'rival' });
    assert.equal(await codeOf(reviewer.approve(rival.version, rival.digest, 'both')), 'POLICY_STATE_CONFLICT', 'one waits already');
    const tomorrow = { nowMs: () => Date.now() + 2 * dayMs as TimeMs };
    assert.deepEqual(await Promise.all([enforceDue({ ...stored(), clock: tomorrow }), enforceDue({ ...stored(), clock: tomorrow })]).then((done) => done.toSorted()), [false, true], 'once for all processes');
    assert.equal((await author.inForce()).version.version, version.version);
    assert.equal(await codeOf(reviewer.approve(rival.version, rival.digest, 'late')), 'POLICY_BASIS_STALE');
    await author.withdraw(rival.version, 'outdated');
  });

  it('stay as they are when the approved version no longer loads, and say so', async () => {
    const before = (await author.inForce()).version;
    const { version } = await author.propose({ basis: before.version, changes: commented((await author.inForce()).files, 'soon broken'), comment: 'x', effective_at: new Date(Date.now() + dayMs).toISOString() });
    await reviewer.approve(version.version, version.digest, 'fine');
    const logged = world.platform.logged().length;
    // as if the catalogue had lost what it names
    await world.platform.database.query(`update policy_version set effective_ms = null, files = replace(files, 'dataset: tax', 'dataset: taxes') where number = $1`, [version.version]);
    await until('it is said', () => world.platform.logged().includes('policy.refused', logged));
    assert.equal((await author.inForce()).version.version, before.version);
    assert.equal((await asks()).status, 200);
    await author.withdraw(version.version, 'it no longer loads');
    assert.equal((await author.read(version.version)).version.state, 'withdrawn', 'so that it stands in nobody\'s way');
  });

  it('that wait for their day are taken back by any officer of compliance, and stand in nobody\'s way then', async () => {
    const { version: { version: basis }, files } = await author.inForce();
    const { version: waiting } = await author.propose({ basis, changes: commented(files, 'far away'), comment: 'x', effective_at: new Date(Date.now() + 300 * dayMs).toISOString() });
    const { version: urgent } = await author.propose({ basis, changes: commented(files, 'urgent'), comment: 'x' });
    await reviewer.approve(waiting.version, waiting.digest, 'fine');
    assert.equal(await codeOf(reviewer.approve(urgent.version, urgent.digest, 'now')), 'POLICY_STATE_CONFLICT');
    assert.equal(await codeOf(auditor.withdraw(waiting.version, 'no officer of compliance')), 'TOKEN_SCOPE_INSUFFICIENT');
    await reviewer.withdraw(waiting.version, 'something more urgent came');
    await reviewer.approve(urgent.version, urgent.digest, 'now');
    assert.equal((await author.inForce()).version.version, urgent.version);
    assert.equal(await codeOf(author.withdraw(urgent.version, 'in force')), 'POLICY_STATE_CONFLICT');
    assert.equal(await enforceDue({ ...stored(), clock: { nowMs: () => Date.now() + 301 * dayMs as TimeMs } }), false, 'what was taken back never comes into force');
  });

  it('go back to an earlier version as a proposal like any other', async () => {
    const first = await author.read(1);
    const { version } = await author.rollBack(1, 'as it was');
    assert.deepEqual([version.origin, version.state, version.digest], ['rollback', 'proposed', first.version.digest]);
    assert.equal(await codeOf(author.approve(version.version, version.digest, 'mine')), 'POLICY_SAME_PERSON');
    await reviewer.approve(version.version, version.digest, 'fine');
    assert.equal((await author.inForce()).version.policy, first.version.policy);
    assert.equal(await codeOf(author.rollBack(version.version, 'itself')), 'POLICY_STATE_CONFLICT');
    const { versions } = await auditor.list();
    assert.deepEqual([versions[0]?.version, versions[0]?.proposed_by, versions[0]?.decided_by, versions[0]?.comment], [version.version, 'officer-compliance', 'officer-second', 'as it was']);
  });

  it('are proposed once when a proposal is sent twice under one key', async () => {
    const { version: { version: basis }, files } = await author.inForce();
    const change = { basis, changes: commented(files, 'twice'), comment: 'twice' };
    const one = await author.propose(change, 'propose-twice-01');
    assert.deepEqual(await author.propose(change, 'propose-twice-01'), one);
    await author.withdraw(one.version.version, 'done');
    assert.equal(await codeOf(reviewer.withdraw(one.version.version, 'not mine')), 'POLICY_STATE_CONFLICT');
  });

  describe('an emergency withhold', () => {
    const field = 'tax.declared_revenue_cents';
    const emergency = { field, purpose: 'pre_loan_review', reason: 'wrong_values' };
    const withheldAt = async (origin?: string) => ((await asks(origin)).json['withheld'] as readonly { field: string; reason: string; rule: string }[]).find((each) => each.field === field);

    it('closes a field at the next request on every node, set by one officer, lifted by another', async () => {
      assert.equal(await withheldAt(second.origin), undefined);
      const { withhold } = await author.withhold(emergency);
      for (const origin of [second.origin, undefined]) assert.deepEqual([(await withheldAt(origin))?.reason, (await withheldAt(origin))?.rule], ['denied_by_rule', `emergency-${withhold.withhold}`]);
      assert.equal(await codeOf(reviewer.withhold(emergency)), 'POLICY_STATE_CONFLICT');
      assert.equal(await codeOf(author.lift(withhold.withhold)), 'POLICY_SAME_PERSON');
      assert.equal((await reviewer.lift(withhold.withhold)).withhold.ending, 'lifted');
      assert.equal(await withheldAt(), undefined);
      assert.equal(await codeOf(reviewer.lift(withhold.withhold)), 'POLICY_STATE_CONFLICT');
      for (let round = 0; round < 4; round += 1) { // the other node looks four times a second: once could be luck
        const { withhold: again } = await author.withhold(emergency);
        assert.equal((await withheldAt(second.origin))?.reason, 'denied_by_rule');
        await reviewer.lift(again.withhold);
      }
      assert.equal(await codeOf(reviewer.lift('0'.repeat(16))), 'POLICY_VERSION_NOT_FOUND');
      assert.equal(await codeOf(author.withhold({ ...emergency, field: 'tax.nothing' })), 'REQUEST_INVALID');
      assert.equal(await codeOf(author.withhold({ ...emergency, purpose: 'gossip' })), 'POLICY_PURPOSE_UNKNOWN');
      assert.deepEqual((await log('policy.emergency%')).slice(0, 2).map(({ kind, actor }) => [kind, actor]), [['policy.emergency_withheld', 'officer-compliance'], ['policy.emergency_lifted', 'officer-second']]);
    });

    it('becomes a proposal when its time is over, is made anew when the policy changes, and holds until somebody else decides', async () => {
      const { withhold } = await author.withhold({ ...emergency, hours: 1 });
      assert.equal(await proposeExpired({ ...stored(), clock: { nowMs: () => Date.now() as TimeMs } }), 0, 'not before its time');
      const later = { ...stored(), clock: { nowMs: () => Date.now() + 2 * 3_600_000 as TimeMs } };
      assert.equal(await proposeExpired(later), 1);
      assert.equal(await proposeExpired(later), 0, 'once');
      const [first] = (await author.list({ state: 'proposed' })).versions;
      assert.deepEqual([first?.origin, first?.proposed_by], ['withhold', 'officer-compliance']);
      assert.ok((await reviewer.review(first?.version ?? 0)).changes.every(({ risk }) => risk === 'tightened'));
      assert.equal(await codeOf(author.withdraw(first?.version ?? 0, 'open it again alone')), 'POLICY_SAME_PERSON');
      assert.equal(await codeOf(author.refuse(first?.version ?? 0, first?.digest ?? '', 'open it again alone')), 'POLICY_SAME_PERSON');

      assert.equal(await codeOf(reviewer.approve(first?.version ?? 0, first?.digest ?? '', 'to last')), 'POLICY_TESTS_FAILED', 'a test expects the field to be open');

      await pass({ 'tests/tax.yaml': null, 'tests/promises.yaml': null, 'tests/features.yaml': null });
      assert.equal(await proposeExpired(later), 1, 'its basis is no longer in force');
      const [next] = (await author.list({ state: 'proposed' })).versions;
      assert.equal((await author.read(first?.version ?? 0)).version.state, 'withdrawn');
      assert.equal((await withheldAt())?.reason, 'denied_by_rule', 'it holds');
      await reviewer.approve(next?.version ?? 0, next?.digest ?? '', 'to last');
      assert.equal((await withheldAt())?.rule, `emergency-${withhold.withhold}`, 'a rule like any other now');
      const [ended] = (await auditor.withholds()).withholds;
      assert.deepEqual([ended?.withhold, ended?.ending], [withhold.withhold, 'lasting']);
    });

    it('ends with its proposal when that is refused by another officer', async () => {
      await reviewer.rollBack(1, 'before').then(({ version }) => author.approve(version.version, version.digest, 'fine'));
      await author.withhold({ ...emergency, field: 'registry.name', hours: 1 });
      await proposeExpired({ ...stored(), clock: { nowMs: () => Date.now() + 2 * 3_600_000 as TimeMs } });
      const [proposal] = (await author.list({ state: 'proposed' })).versions;
      await reviewer.refuse(proposal?.version ?? 0, proposal?.digest ?? '', 'the values are right');
      assert.equal((await auditor.withholds()).withholds[0]?.ending, 'refused');
      await until('the field is open again', async () => {
        const { withheld } = (await asks()).json;
        return !(withheld instanceof Array) || !withheld.some(({ field }: { readonly field: string }) => field === 'registry.name');
      });
    });
  });

  it('are compiled for one party after the other: who asks for ever fills its own line alone (REQUEST_OVERLOADED)', async () => {
    const { version: { version } } = await auditor.inForce();
    const asked = Array.from({ length: 60 }, () => codeOf(auditor.replay(version)));
    const [reviewed, answered] = await Promise.all([codeOf(author.review(version)), asks()]);
    const outcomes = await Promise.all(asked);
    assert.deepEqual([...new Set(outcomes)].sort(), ['REQUEST_OVERLOADED', 'done']);
    assert.equal(reviewed, 'done', 'another party has a line of its own');
    assert.equal(answered.status, 200);
  });

  describe('in number', () => {
    it('bound what may wait for a decision', async () => {
      await world.platform.database.query("insert into policy_version (files, digest, policy, basis, origin, state, proposed_by, proposed_ms, comment) select files, digest, policy, 1, 'proposal', 'proposed', 'officer-second', 0, 'many' from policy_version, generate_series(1, 100) where number = 1");
      const { version: { version: basis }, files } = await author.inForce();
      assert.equal(await codeOf(author.propose({ basis, changes: commented(files, 'one more'), comment: 'more' })), 'REQUEST_QUOTA_EXCEEDED');
    });
  });
});

describe('policies of a folder', () => {
  it('are changed there and nowhere else', async function () {
    this.timeout(60_000);
    const { startTestPlatform } = await import('../support/gateway.ts');
    const platform = await startTestPlatform({ VEILGATE_POLICY_SOURCE: 'folder' });
    try {
      const policies = policiesClient(await platform.connect('officer-compliance', 'compliance'));
      const attempts = [
        () => policies.inForce(), () => policies.list(), () => policies.propose({ basis: 1, changes: {}, comment: 'x' }), () => policies.approve(1, 'a'.repeat(64), 'x'),
        () => policies.withhold({ field: 'tax.period', purpose: 'pre_loan_review', reason: 'x' }), () => policies.withholds(), () => policies.lift('0'.repeat(16)), () => policies.replay(1),
      ];
      for (const attempt of attempts) assert.equal(await codeOf(attempt()), 'POLICY_IN_FOLDER');
    } finally {
      await platform.close();
    }
  });
});
