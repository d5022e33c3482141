import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { fixedClock } from '../../src/clock.ts';
import { admitGrants } from '../../src/consent/admit.ts';
import { windowEndMs } from '../../src/consent/calendar.ts';
import { consumeGrants } from '../../src/consent/consume.ts';
import { expireGrants } from '../../src/consent/expire.ts';
import { grantHistory } from '../../src/consent/events.ts';
import { changeGrant, readGrant, type GrantAction } from '../../src/consent/grants.ts';
import type { Database } from '../../src/store/database.ts';
import { freshDatabase } from '../support/database.ts';
import type { Frequency, GrantId, GrantState } from '../../src/vocabulary.ts';
import { bank, codeOf, purpose, start, startMs, stored, subject } from './sample.ts';

const hourMs = 3_600_000;
/** Valid for ten days: short enough that runs outlive it. */
const validMs = 240 * hourMs;

/** A grant in a few plain variables: what the enterprise was told it is. */
type Model = { nowMs: number; state: GrantState; usesLeft: number | null; uses: number[]; frequency: Frequency | null; events: string[] };
type Real = { database: Database; grant: GrantId; clock: ReturnType<typeof fixedClock> };

const over = (model: Model) => model.nowMs >= startMs + validMs;
const open = (model: Model) => model.state === 'active' || model.state === 'paused';

function expectedUse(model: Model): string {
  if (model.state === 'revoked') return 'CONSENT_REVOKED';
  if (model.state === 'exhausted') return 'CONSENT_EXHAUSTED';
  if (over(model)) return 'CONSENT_EXPIRED';
  if (model.state === 'paused') return 'CONSENT_PAUSED';
  if (model.frequency !== null) {
    const { per, max } = model.frequency;
    const window = windowEndMs(per, model.nowMs as never);
    if (model.uses.filter((atMs) => windowEndMs(per, atMs as never) === window).length >= max) return 'CONSENT_FREQUENCY_EXCEEDED';
  }
  return 'ok';
}

abstract class Step implements fc.AsyncCommand<Model, Real> {
  check(): boolean {
    return true;
  }
  /** What the model says must come out, after changing the model. */
  abstract predict(model: Model): unknown;
  abstract act(real: Real): Promise<unknown>;
  async run(model: Model, real: Real): Promise<void> {
    assert.deepEqual(await this.act(real), this.predict(model), String(this));
    const kept = await readGrant(real.database, real.grant, { subject }, real.clock.nowMs());
    const state = open(model) && over(model) ? 'expired' : model.state;
    assert.deepEqual([kept.state, kept.usesLeft, kept.usesTotal], [state, model.usesLeft, model.uses.length]);
    assert.deepEqual((await grantHistory(real.database, real.grant)).map(({ kind }) => kind), model.events);
  }
}

class Change extends Step {
  readonly #action: GrantAction;
  constructor(action: GrantAction) {
    super();
    this.#action = action;
  }
  predict(model: Model) {
    const from = { pause: ['active'], resume: ['paused'], revoke: ['active', 'paused'] }[this.#action];
    if (over(model) || !from.includes(model.state)) return 'CONSENT_STATE_CONFLICT';
    model.state = ({ pause: 'paused', resume: 'active', revoke: 'revoked' } as const)[this.#action];
    model.events.push({ pause: 'paused', resume: 'resumed', revoke: 'revoked' }[this.#action]);
    return 'ok';
  }
  async act({ database, grant, clock }: Real) {
    return codeOf(await database.transaction('t', (tx) => changeGrant(tx, { grant, actor: { subject }, action: this.#action }, clock)).catch((error: unknown) => error));
  }
  override toString() {
    return this.#action;
  }
}

class Uses extends Step {
  readonly #count: number;
  constructor(count: number) {
    super();
    this.#count = count;
  }
  predict(model: Model) {
    const admitted = expectedUse(model);
    const consumed = Array.from({ length: this.#count }, () => {
      const outcome = expectedUse(model);
      if (outcome !== 'ok') return outcome;
      model.uses.push(model.nowMs);
      if (model.usesLeft !== null && --model.usesLeft === 0) {
        model.state = 'exhausted';
        model.events.push('exhausted');
      }
      return 'ok';
    });
    return [admitted, ...consumed];
  }
  async act({ database, grant, clock }: Real) {
    const atMs = clock.nowMs();
    const admitted = await admitGrants(database, [{ institution: bank, subject, purpose, grant, atMs }]);
    const use = { grant, institution: bank, atMs, verifications: [], verificationLimit: 0 };
    const consumed = await database.transaction('t', (tx) => consumeGrants(tx, Array.from({ length: this.#count }, () => use)));
    return [...admitted, ...consumed].map(codeOf);
  }
  override toString() {
    return `use ${this.#count}×`;
  }
}

class Wait extends Step {
  readonly #hours: number;
  constructor(hours: number) {
    super();
    this.#hours = hours;
  }
  predict(model: Model) {
    model.nowMs += this.#hours * hourMs;
  }
  async act({ clock }: Real) {
    clock.advanceMs(this.#hours * hourMs);
  }
  override toString() {
    return `wait ${this.#hours} h`;
  }
}

class Housekeeping extends Step {
  predict(model: Model) {
    if (!open(model) || !over(model)) return 0;
    model.state = 'expired';
    model.events.push('expired');
    return 1;
  }
  async act({ database, grant, clock }: Real) {
    const marked = await database.transaction('t', (tx) => expireGrants(tx, clock.nowMs()));
    return marked.filter((event) => event.grant === grant).length;
  }
  override toString() {
    return 'housekeeping';
  }
}

describe('consent as a state machine', () => {
  it('does what its model says, whatever is done to it in whatever order', async function () {
    this.timeout(60_000);
    const database = await freshDatabase();
    const steps = fc.commands<Model, Real, false>([
      fc.constantFrom<GrantAction>('pause', 'resume', 'revoke').map((action) => new Change(action)),
      // revoking ends all the fun: pause and resume come more often
      fc.constantFrom<GrantAction>('pause', 'resume', 'resume').map((action) => new Change(action)),
      fc.integer({ min: 1, max: 3 }).map((count) => new Uses(count)),
      fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 150, max: 250 })).map((hours) => new Wait(hours)),
      fc.constant(new Housekeeping()),
    ], { maxCommands: 15 });
    const frequency = fc.option(fc.record({ max: fc.integer({ min: 1, max: 3 }), per: fc.constantFrom<Frequency['per']>('day', 'week', 'month') }));
    const limits = fc.record({ usesMax: fc.option(fc.integer({ min: 1, max: 5 })), frequency }).filter((limit) => limit.usesMax !== null || limit.frequency !== null);
    await fc.assert(fc.asyncProperty(limits, steps, async (limit, commands) => {
      const clock = fixedClock(start);
      const { id } = await stored(database, { ...limit, validFromMs: startMs, validUntilMs: (startMs + validMs) as never }, clock);
      await fc.asyncModelRun(() => ({
        model: { nowMs: startMs, state: 'active' as GrantState, usesLeft: limit.usesMax, uses: [], frequency: limit.frequency, events: ['granted'] },
        real: { database, grant: id, clock },
      }), commands);
    }), { numRuns: 100 });
  });
});
