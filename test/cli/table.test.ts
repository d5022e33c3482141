import assert from 'node:assert/strict';
import { complaint, shown } from '../../src/cli/complaint.ts';
import { clean, displayWidth, pairs, table } from '../../src/cli/table.ts';
import { VeilgateError } from '../../src/errors.ts';

describe('cli: text for people', () => {
  it('lines columns up, Chinese characters counted as two', () => {
    assert.equal(displayWidth('甲银行a'), 7);
    assert.equal(table(['a', 'b'], [['甲银行', 1], ['x', null], ['yy', ['p', 'q']]]), 'a       b\n甲银行  1\nx       -\nyy      p, q\n');
    assert.equal(pairs({ one: 1, other: undefined, 'a list': [] }), 'one     1\na list\n');
  });

  it('lets nothing that came over the network steer the terminal', () => {
    const nasty = 'a\u001b[31mb\rc\u202ed\u0007\nnext';
    assert.equal(clean(nasty), 'a\ufffd[31mb\ufffdc\ufffdd\ufffd\ufffdnext');
    assert.doesNotMatch(table(['x'], [[nasty]]) + complaint(new VeilgateError('INTERNAL', nasty, { note: nasty })), /[\u001b\r\u0007\u202e]/);
  });

  it('shows of an error its code, its sentence and what helps, and of an unforeseen one only its name', () => {
    const text = complaint(new VeilgateError('QUERY_NOTHING_PERMITTED', 'Ask for less.', {
      status: 403, withheld: [{ field: 'a.b', use: 'read', reason: 'no_rule', rule: null, path: [] }],
      grant_needed: [{ purpose: 'p', fields: [{ field: 'a.b', ceiling: 'original' }, { field: 'a.c', ceiling: 'desensitised' }] }], exceeds: [{ term: 'uses_max', asked: 9, cap: 3 }],
    }));
    assert.match(text, /^QUERY_NOTHING_PERMITTED: Ask for less\.\n {2}withheld:\n/);
    assert.match(text, /a\.b {4}read {2}no_rule/);
    assert.match(text, /grant needed: --purpose p --original a\.b --desensitised a\.c\n/);
    assert.match(text, /uses_max {2}9 {6}3/);
    assert.doesNotMatch(text, /403/);
    const unforeseen = complaint(shown(new RangeError('CANARY 42')));
    assert.match(unforeseen, /^INTERNAL: [\s\S]*RangeError/);
    assert.doesNotMatch(unforeseen, /CANARY/);
  });
});
