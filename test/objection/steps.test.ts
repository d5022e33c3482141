import { strict as assert } from 'node:assert';
import type { ObjectionAction, ObjectionRole, ObjectionState } from '../../src/objection/objection.ts';
import { loadObjectionSettings } from '../../src/objection/settings.ts';
import { actionsNow, dueAfter, stepOf, steps } from '../../src/objection/steps.ts';
import type { TimeMs } from '../../src/vocabulary.ts';

const states: readonly ObjectionState[] = ['submitted', 'accepted', 'returned', 'corrected', 'remedied', 'rejected', 'closed'];
const roles: readonly ObjectionRole[] = ['enterprise', 'officer', 'department', 'platform'];
const actions: readonly ObjectionAction[] = ['submit', 'accept', 'return', 'correct', 'remedy', 'reject', 'close'];

/** Everything that can be done, written out: about, state, role, action → state. What is not here cannot. */
const life = `
record submitted officer accept accepted
record submitted officer return returned
record submitted enterprise close closed
record accepted department correct corrected
record accepted department reject rejected
record accepted enterprise close closed
record returned enterprise close closed
record returned platform close closed
record corrected enterprise close closed
record corrected platform close closed
record rejected enterprise close closed
record rejected platform close closed
access submitted officer accept accepted
access submitted officer return returned
access submitted enterprise close closed
access accepted officer remedy remedied
access accepted officer reject rejected
access accepted enterprise close closed
access returned enterprise close closed
access returned platform close closed
access remedied enterprise close closed
access remedied platform close closed
access rejected enterprise close closed
access rejected platform close closed`.trim().split('\n');

describe('the life of an objection', () => {
  it('has these steps and no other, in every state, for every role and action', () => {
    const found = (['record', 'access'] as const).flatMap((about) => states.flatMap((state) => roles.flatMap((role) => actions.flatMap((action) => {
      const step = stepOf(about, role, action);
      assert.equal(actionsNow({ about, state }, role).some((each) => each === action), step?.from.includes(state) === true);
      return step?.from.includes(state) === true ? [`${about} ${state} ${role} ${action} ${step.to}`] : [];
    }))));
    const impossible = /^record remedied|^access corrected/;
    assert.deepEqual(found.filter((line) => !impossible.test(line)).toSorted(), life.toSorted());
  });

  it('asks for words wherever somebody is told no, or what was done', () => {
    assert.deepEqual([...new Set(steps.filter(({ wordsRequired }) => !wordsRequired).map(({ action }) => action))], ['accept', 'close']);
  });

  it('sets each deadline in working days, and none once it is over', () => {
    const settings = loadObjectionSettings('policies');
    const at = Date.parse('2026-11-20T15:59:59Z') as TimeMs; // a Friday, one second before Saturday in Shanghai
    assert.equal(dueAfter('submitted', at, settings), '2026-11-25');
    assert.equal(dueAfter('submitted', at + 1000 as TimeMs, settings), '2026-11-25', 'Saturday, so from Monday on as well');
    assert.equal(dueAfter('accepted', at, settings), '2026-12-04');
    for (const state of ['returned', 'corrected', 'remedied', 'rejected'] as const) assert.equal(dueAfter(state, at, settings), '2026-12-04');
    assert.equal(dueAfter('closed', at, settings), null);
  });
});
