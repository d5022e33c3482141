import { strict as assert } from 'node:assert';
import { SignJWT } from 'jose';
import { VeilgateError, isVeilgateError, type ErrorCode } from '../../src/errors.ts';
import { sealFor } from '../../src/disclosure/seal.ts';
import { scoreOne, type ScoreDesk } from '../../src/gateway/use-cases/score-one.ts';
import type { SignedScore } from '../../src/gateway/use-cases/score-request.ts';
import { openKeyring } from '../../src/identity/keyring.ts';
import { systemClock } from '../../src/clock.ts';
import { createCustodianClient } from '../../src/gateway/custodian-client.ts';
import { enterpriseClient } from '../../src/sdk/enterprise.ts';
import { askedSubjects } from '../../src/scoring/run/asked-subjects.ts';
import { modelsClient } from '../../src/sdk/models.ts';
import { policiesClient } from '../../src/sdk/policies.ts';
import { openHalves, signScoreRequest } from '../../src/sdk/scores.ts';
import { generateCredentialsFile, readCredentials } from '../../src/sdk/keys.ts';
import type { InstitutionId, PublicJwk } from '../../src/vocabulary.ts';
import { composeLine, type ScoreLine } from '../support/score-line.ts';
import { approveModel, featureValues, rawOf, scoredFields, startScoreWorld, subjectOf, testModel, type ScoreWorld } from '../support/scoring.ts';

const refuses = (code: ErrorCode) => (error: unknown) => isVeilgateError(error, code);

describe('the line of one score', () => {
  let world: ScoreWorld;
  let line: ScoreLine;
  let grant: string;
  const flat = testModel('flat@1', (weights) => weights.map(() => 0).with(0, 1));

  before(async function () {
    this.timeout(90_000);
    world = await startScoreWorld({ enterprises: 4 });
    line = await composeLine(world.platform, new Map([[world.model.ref, world.model], [flat.ref, flat]]));
  });
  after(async () => {
    await line.close();
    await world.platform.close();
  });
  beforeEach(async () => {
    grant = await world.grant(0);
  });

  const request = (n = 0, model = world.model.ref as string) => line.signed('bank-a', { ...world.ask(n), model, grant });
  /** The same request, with something that happens once the custodian has answered: the last moment before release. */
  const meanwhile = (happens: () => Promise<unknown>): ScoreDesk => ({
    ...line.desk,
    async openMasked(asked) {
      const opened = await line.desk.openMasked(asked);
      await happens();
      return opened;
    },
  });
  const uses = async () => (await world.platform.database.query<{ used: number }>('select uses_total::int as used from consent_grant where id = $1', [grant])).rows[0]?.used;

  it('releases nothing when the grant is revoked or paused, or the bank suspended, while it runs; the log says refused', async () => {
    const { platform } = world;
    const { rows: [party] } = await platform.database.query<{ id: string }>('select id from enterprise where subject = $1', [subjectOf(0)]);
    const enterprise = enterpriseClient(await platform.connect(party?.id ?? '', 'grants'));
    const cases: readonly (readonly [ErrorCode, () => Promise<unknown>, () => Promise<unknown>])[] = [
      ['CONSENT_PAUSED', () => enterprise.pause(grant), () => enterprise.resume(grant)],
      ['INSTITUTION_NOT_ACTIVE', () => platform.compliance.suspend('bank-a', 'investigation'), () => platform.compliance.reinstate('bank-a')],
      ['CONSENT_REVOKED', () => enterprise.revoke(grant), async () => {}],
    ];
    for (const [code, change, undo] of cases) {
      const [before, entries] = [await uses(), (await world.entries()).length];
      const signed = await request();
      await assert.rejects(line.score(signed, meanwhile(change)), refuses(code), code);
      const added = (await world.entries()).slice(entries).filter(({ kind }) => String(kind).startsWith('score.'));
      assert.deepEqual(added.map(({ kind, code: said, request: of }) => [kind, said, of]), [['score.refused', code, signed.requestDigest]], code);
      assert.equal(typeof added[0]?.['ticket'], 'string', 'the custodian had answered: both logs can be held together');
      assert.equal(await uses(), before, code);
      await undo();
    }
  });

  it('is decided again when the policy changes while it runs: nothing leaves after a withhold, and what is still permitted leaves', async () => {
    const officers = { author: policiesClient(await world.platform.connect('officer-models', 'compliance')), reviewer: policiesClient(await world.platform.connect('officer-compliance', 'compliance')) };
    for (const [field, code] of [[scoredFields[0] ?? '', 'SCORE_NOT_PERMITTED'], ['tax.period', undefined]] as const) {
      const [before, entries] = [await uses(), (await world.entries()).length];
      let withheld = '';
      let asked = 0;
      const scored = line.score(await request(), { ...meanwhile(async () => {
        asked += 1;
        withheld = (await officers.author.withhold({ field, purpose: 'pre_loan_review', reason: 'wrong_values' })).withhold.withhold;
      }) });
      if (code === undefined) assert.equal((await scored).subject, subjectOf(0));
      else await assert.rejects(scored, refuses(code));
      await officers.reviewer.lift(withheld);
      await line.desk.standing.follow();
      const added = (await world.entries()).slice(entries).filter(({ kind }) => kind !== 'policy.loaded');
      assert.deepEqual(added.map(({ kind, code: said }) => [kind, said]), [['policy.emergency_withheld', undefined], [code === undefined ? 'score.released' : 'score.refused', code], ['policy.emergency_lifted', undefined]]);
      const versions = (await world.entries('policy.in_force')).map(({ policy }) => policy);
      assert.ok(!versions.includes(added[1]?.['policy'] as never), 'what left was decided with the withhold in mind');
      assert.equal(await uses(), (before ?? 0) + (code === undefined ? 1 : 0));
      assert.equal(asked, 1, 'the custodian is not asked again');
    }
  });

  it('leaves under no model that was retired while it ran', async () => {
    const retired = testModel('retired@1', (weights) => weights.with(1, (weights[1] ?? 0) + 1));
    await approveModel(world.platform, retired);
    const own = await composeLine(world.platform, new Map([[retired.ref, retired]]));
    const models = modelsClient(await world.platform.connect('officer-compliance', 'compliance'));
    try {
      const desk: ScoreDesk = { ...own.desk, async openMasked(asked) {
        const opened = await own.desk.openMasked(asked);
        await models.retire(retired.ref, 'outdated');
        return opened;
      } };
      const entries = (await world.entries()).length;
      await assert.rejects(own.score(await own.signed('bank-a', { ...world.ask(0), model: retired.ref, grant }), desk), refuses('SCORE_MODEL_NOT_USABLE'));
      assert.deepEqual((await world.entries()).slice(entries).map(({ kind, code }) => [kind, code]), [['model.retired', undefined], ['score.refused', 'SCORE_MODEL_NOT_USABLE']]);
    } finally {
      await own.close();
    }
  });

  it('lets one of two scores through that want the last use of a grant', async () => {
    grant = await world.grant(0, 'bank-a', { uses_max: 1, kind: 'one_time', frequency: undefined });
    const second = await request();
    await assert.rejects(line.score(await request(), meanwhile(() => line.score(second))), refuses('CONSENT_EXHAUSTED'));
    assert.equal(await uses(), 1);
    assert.deepEqual((await world.entries()).slice(-2).map(({ kind, code }) => [kind, code]), [['score.released', undefined], ['score.refused', 'CONSENT_EXHAUSTED']]);
  });

  it('is judged again at release: a score under another model that came first keeps this one in', async () => {
    grant = await world.grant(2);
    const other = testModel('other@1', (weights) => weights.with(0, (weights[0] ?? 0) + 1));
    // three functions are one model's: of a second model nothing may be had
    const strict = await composeLine(world.platform, new Map([[world.model.ref, world.model], [other.ref, other]]), { judge: (functionals) => functionals.length <= 3 });
    try {
      const [first, second] = [await strict.signed('bank-a', { ...world.ask(2), model: other.ref }), await strict.signed('bank-a', world.ask(2))];
      const desk: ScoreDesk = { ...strict.desk, async openMasked(asked) {
        const opened = await strict.desk.openMasked(asked);
        await strict.score(first);
        return opened;
      } };
      await assert.rejects(strict.score(second, desk), refuses('SCORE_LIMIT_REACHED'));
      assert.equal(await uses(), 1, 'and the grant was spent once');
      assert.deepEqual((await world.entries()).slice(-2).map(({ kind, code, model }) => [kind, code, model]), [['score.released', undefined, other.ref], ['score.refused', 'SCORE_LIMIT_REACHED', world.model.ref]]);
    } finally {
      await strict.close();
    }
  });

  it('gives nothing when the log cannot take the entry', async () => {
    const { database } = world.platform;
    grant = await world.grant(3);
    const [before, entries] = [await uses(), (await world.entries()).length];
    const desk = meanwhile(() => database.query('alter table audit_entry add constraint full_disk check (index < 0) not valid'));
    try {
      await assert.rejects(line.score(await request(3), desk), refuses('AUDIT_UNAVAILABLE'));
    } finally {
      await database.query('alter table audit_entry drop constraint full_disk');
    }
    assert.equal((await world.entries()).length, entries);
    assert.equal(await uses(), before);
    const { rows } = await database.query<{ n: number }>("select count(*)::int as n from scoring_tally where institution = 'bank-a' and subject = $1 and cardinality(sets) > 0", [subjectOf(3)]);
    assert.equal(rows[0]?.n, 0, 'and nothing counts as told');
  });

  it('logs a refusal for whatever fails on the way, without the custodian having been asked where it was not', async () => {
    const fail = (code: ErrorCode) => async () => { throw new VeilgateError(code, 'It failed.'); };
    const cases: readonly (readonly [Partial<ScoreDesk>, ErrorCode])[] = [
      [{ key: fail('SCORE_UNAVAILABLE') }, 'SCORE_UNAVAILABLE'],
      [{ key: async () => ({ ...(await line.desk.key()), parameters: 'veilgate-score-9' }) }, 'SCORE_UNAVAILABLE'],
      [{ columns: async () => undefined }, 'SCORE_DATA_MISSING'],
      [{ preview: async () => ({ obtained: [], refusal: new VeilgateError('SCORE_LIMIT_REACHED', 'Too much.') }) }, 'SCORE_LIMIT_REACHED'],
      [{ recipientKey: async () => undefined }, 'DISCLOSURE_KEY_MISSING'],
      [{ evaluate: fail('HE_EVALUATION_FAILED') }, 'HE_EVALUATION_FAILED'],
      [{ openMasked: fail('CUSTODIAN_UNAVAILABLE') }, 'CUSTODIAN_UNAVAILABLE'],
      [{ openMasked: fail('CUSTODIAN_REFUSED') }, 'CUSTODIAN_REFUSED'],
    ];
    for (const [broken, code] of cases) {
      const entries = (await world.entries()).length;
      await assert.rejects(line.score(await request(), { ...line.desk, ...broken }), refuses(code));
      assert.deepEqual((await world.entries()).slice(entries).map(({ kind, code: said, ticket }) => [kind, said, ticket]), [['score.refused', code, null]]);
    }
    const entries = (await world.entries()).length;
    await assert.rejects(line.score(await request(), { ...line.desk, evaluate: async () => { throw new TypeError('unforeseen'); } }), TypeError);
    assert.equal((await world.entries()).slice(entries)[0]?.['code'], 'INTERNAL');
  });

  it('looks once more when a column was refreshed while it was read, and not for ever', async () => {
    let missing = 1;
    const desk: ScoreDesk = { ...line.desk, async evaluate(task) {
      if (missing-- > 0) throw new VeilgateError('FEATURE_BLOCK_MISSING', 'It was replaced.');
      return line.desk.evaluate(task);
    } };
    assert.equal((await line.score(await request(), desk)).subject, subjectOf(0));
    missing = 2;
    await assert.rejects(line.score(await request(), desk), refuses('FEATURE_BLOCK_MISSING'));
  });

  it('is for institutions alone', async () => {
    const admission = { caller: { party: 'someone' as InstitutionId, kind: 'officer' as const, scopes: new Set(['query' as const]), dpopKeyThumbprint: 'x' }, grant: new VeilgateError('CONSENT_REQUIRED', 'None.') };
    await assert.rejects(scoreOne(line.desk, await request(), admission), refuses('PARTY_NOT_PERMITTED'));
  });

  it('never shows the gateway a score: with everything it gets and keeps, every score is as likely as any other', async () => {
    const seen: { readonly masks: readonly Uint32Array[]; readonly half: string }[] = [];
    const watched: ScoreDesk = {
      ...line.desk,
      evaluate: async (task) => {
        const results = await line.desk.evaluate(task);
        seen.push({ masks: results.map(({ masks }) => masks), half: '' });
        return results;
      },
      openMasked: async (asked) => {
        const opened = await line.desk.openMasked(asked);
        seen.push({ masks: [], half: opened.half });
        return opened;
      },
    };
    const [first, second] = [await line.score(await request(), watched), await line.score(await request(), watched)];
    const halves = seen.flatMap(({ half }) => (half === '' ? [] : [half]));
    assert.equal(halves.length, 2);
    // the custodian's half is for another key: all keys of the gateway fail on it, and its masks alone are fresh each time
    const keyring = openKeyring(world.platform.config.keysFolder, systemClock);
    for (const half of halves) {
      assert.equal(half.split('.').length, 5);
      const { kid } = JSON.parse(Buffer.from(half.split('.')[0] ?? '', 'base64url').toString()) as { kid: string };
      assert.equal(kid, (await world.platform.credentials('bank-a')).encryption?.publicJwk.kid);
      assert.ok(!keyring.gatewayJwks.keys.some((key) => key.kid === kid));
    }
    const masks = seen.flatMap(({ masks: all }) => all);
    assert.equal(new Set(masks.map((mask) => mask.join())).size, masks.length, 'no mask comes twice');
    assertUniform(masks[0] as Uint32Array);
    assert.notEqual(first.sealed.custodian, second.sealed.custodian);
    // what is kept: neither halves nor masks
    const { rows } = await world.platform.database.query<{ all: string }>("select (select string_agg(t::text, '') from audit_entry t) || (select string_agg(t::text, '') from scoring_tally t) as all");
    for (const part of [...halves, first.sealed.gateway]) assert.ok(!rows[0]?.all.includes(part.slice(0, 60)));
  });

  it('gets nothing for a gateway that names a recipient of its own: the custodian refuses', async () => {
    const { platform } = world;
    const mallory = await readCredentials(await generateCredentialsFile('bank-a', { encryption: true }));
    const bank = await platform.credentials('bank-a');
    const own = { gateway: platform.gateway.gatewayUrl, credentials: { ...bank, encryption: mallory.encryption! } };
    const signedByGateway = { gateway: platform.gateway.gatewayUrl, credentials: mallory };
    const asked = { kind: 'one', model: world.model.ref, purpose: 'pre_loan_review', lifetimeS: 60, subjects: [{ subject: subjectOf(0) }] } as const;
    const honest = await signScoreRequest({ gateway: platform.gateway.gatewayUrl, credentials: bank }, asked);
    const edited = (() => {
      const [header, payload = '', signature] = honest.request.split('.');
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { score: { recipient: string } };
      claims.score.recipient = mallory.encryption!.publicJwk.kid;
      return `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
    })();
    const forged: readonly (readonly [string, string])[] = [
      ['a request that another key signed', (await signScoreRequest(signedByGateway, asked)).request],
      ['the bank\'s request with another recipient', edited],
      ['a key of the gateway\'s that the bank never registered at the custodian', (await signScoreRequest(own, asked)).request],
    ];
    for (const [what, jws] of forged) {
      const desk: ScoreDesk = { ...line.desk, openMasked: (ask) => line.desk.openMasked({ ...ask, ticket: { ...ask.ticket, request: jws } }) };
      await assert.rejects(line.score(await request(), desk), refuses('CUSTODIAN_REFUSED'), what);
    }
  });

  it('cannot have one request opened under a ticket of somebody who is not the gateway', async () => {
    const { custodian, gateway } = world.platform;
    assert.ok(custodian);
    const stranger = await readCredentials(await generateCredentialsFile('stranger', { encryption: false }));
    const client = createCustodianClient({
      url: custodian.url, id: custodian.id, gatewayUrl: gateway.gatewayUrl, pinnedKey: custodian.statementKey, clock: systemClock,
      signer: { kid: stranger.signing.publicJwk.kid, sign: (typ, payload) => new SignJWT({ ...payload }).setProtectedHeader({ alg: 'EdDSA', typ, kid: stranger.signing.publicJwk.kid }).sign(stranger.signing.privateKey) },
    });
    await assert.rejects(line.score(await request(), { ...line.desk, openMasked: (asked) => client.open(asked) }), refuses('CUSTODIAN_REFUSED'));
  });

  it('has answers of one size, whatever weights and values are', async () => {
    const sizes = new Set<string>();
    const ciphertexts = new Set<number>();
    const desk: ScoreDesk = { ...line.desk, openMasked: (asked) => {
      for (const { length } of asked.ciphertexts) ciphertexts.add(length);
      return line.desk.openMasked(asked);
    } };
    const grants = [grant, await world.grant(1), await world.grant(2)];
    for (const [n, of] of grants.entries()) {
      for (const model of [world.model, flat]) {
        grant = of;
        const { sealed } = await line.score(await request(n, model.ref), desk);
        sizes.add(`${sealed.custodian.length} ${sealed.gateway.length}`);
      }
    }
    assert.equal(sizes.size, 1, [...sizes].join());
    assert.equal(ciphertexts.size, 1);
  });

  it('opens for the bank exactly, also for a weight of zero', async () => {
    const signed = await request(0, flat.ref);
    const { sealed, custodian, parameters } = await line.score(signed);
    const opened = await openAs(signed, sealed, { custodian, parameters, model: flat });
    assert.equal(opened, rawOf(flat, featureValues(0)));
  });

  async function openAs(signed: SignedScore, sealed: Parameters<typeof openHalves>[0], { custodian, parameters, model }: { readonly custodian: string; readonly parameters: string; readonly model: typeof flat }): Promise<number> {
    const own = { gateway: world.platform.gateway.gatewayUrl, credentials: await world.platform.credentials('bank-a') };
    const { values, modulus } = await openHalves(sealed, { model: model.ref, openable: { model, reasonRanges: [] }, subjects: askedSubjects([subjectOf(0)]), custodian, parameters, requestDigest: signed.requestDigest }, own);
    const value = values[0]?.[0] ?? Number.NaN;
    return value > modulus / 2 ? value - modulus : value;
  }

  it('binds both halves to its request: another request\'s opens nothing', async () => {
    const [one, other] = [await request(), await request()];
    const [answer, second] = [await line.score(one), await line.score(other)];
    const facts = { custodian: answer.custodian, parameters: answer.parameters, model: world.model };
    assert.equal(await openAs(one, answer.sealed, facts), rawOf(world.model, featureValues(0)));
    await assert.rejects(openAs(other, answer.sealed, facts), refuses('SCORE_UNREADABLE'));
    await assert.rejects(openAs(one, { ...answer.sealed, custodian: second.sealed.custodian }, facts), refuses('SCORE_UNREADABLE'));
    const bank = await world.platform.credentials('bank-a');
    const made = await sealFor(bank.encryption?.publicJwk as unknown as PublicJwk, { v: 1, ticket: 'x', masked: [] }, { issuer: answer.custodian, audience: 'bank-a', jti: 'x', issuedAtMs: systemClock.nowMs() });
    await assert.rejects(openAs(one, { ...answer.sealed, custodian: made }, facts), refuses('SCORE_UNREADABLE'));
  });
});

/** Sixteen equal ranges, each within six standard deviations of its share. */
function assertUniform(mask: Uint32Array): void {
  const t = 1_032_193;
  const counts = new Array<number>(16).fill(0);
  for (const value of mask) {
    assert.ok(value < t);
    counts[Math.floor((value * 16) / t)]! += 1;
  }
  const share = mask.length / 16;
  for (const count of counts) assert.ok(Math.abs(count - share) < 6 * Math.sqrt(share), `${count} of ${mask.length}`);
}
