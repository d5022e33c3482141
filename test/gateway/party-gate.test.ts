import { strict as assert } from 'node:assert';
import { setImmediate as turn } from 'node:timers/promises';
import { createPartyGate } from '../../src/gateway/use-cases/party-gate.ts';
import { createPartySlots } from '../../src/gateway/party-slots.ts';
import { isVeilgateError } from '../../src/errors.ts';
import type { PartyId } from '../../src/vocabulary.ts';

const [one, other] = ['one', 'other'] as unknown as [PartyId, PartyId];
const overloaded = (error: unknown) => isVeilgateError(error, 'REQUEST_OVERLOADED');

describe('gateway/party-gate', () => {
  it('takes parties in turn, however long the line of one of them is', async () => {
    const gate = createPartyGate(1, 3);
    const done: string[] = [];
    const work = (party: PartyId, name: string) => gate(party, async () => { await turn(); done.push(name); });
    const first = [1, 2, 3, 4].map((n) => work(one, `one ${n}`));
    await assert.rejects(work(one, 'one 5'), overloaded);
    await Promise.all([...first, work(other, 'other 1')]);
    assert.ok(done.indexOf('other 1') <= 1, done.join());
    await assert.rejects(gate(one, async () => { throw new TypeError('broken'); }), TypeError);
    await Promise.all([1, 2, 3, 4].map((n) => work(one, `again ${n}`)));
    assert.equal(done.length, 9, 'what is done or broke makes room');
  });

  it('does as many at once as it may, and no more', async () => {
    const gate = createPartyGate(2, 10);
    let [running, most] = [0, 0];
    await Promise.all(Array.from({ length: 12 }, (_, n) => gate(`party ${n % 4}` as PartyId, async () => {
      running += 1;
      most = Math.max(most, running);
      await turn();
      running -= 1;
    })));
    assert.equal(most, 2);
  });
});

describe('gateway/party-slots', () => {
  it('gives each party its own, back when they end, and no more by ending twice', () => {
    const slots = createPartySlots(2);
    const [first] = [slots.take(one), slots.take(one)];
    assert.throws(() => slots.take(one), overloaded);
    slots.take(other);
    first?.();
    first?.();
    slots.take(one);
    assert.throws(() => slots.take(one), overloaded);
  });
});
