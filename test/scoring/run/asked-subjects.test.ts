import { strict as assert } from 'node:assert';
import { askedSubjects } from '../../../src/scoring/run/asked-subjects.ts';
import { sampleSubject } from '../../../scripts/sample/subjects.ts';
import type { SubjectId } from '../../../src/vocabulary.ts';

const listed = Array.from({ length: 5000 }, (_, n) => sampleSubject(n, 7));

describe('enterprises that were asked for', () => {
  it('are found wherever their codes stand in a text, and no others', () => {
    const asked = askedSubjects(listed);
    const codes = listed.toReversed().join('');
    for (let at = 0; at < listed.length; at += 1) assert.equal(asked.find(codes, at * 18), listed.length - 1 - at);
    assert.ok(listed.every((subject, index) => asked.subject(index) === subject));
    const others = Array.from({ length: 5000 }, (_, n) => sampleSubject(n, 8)).filter((other) => !listed.includes(other));
    assert.ok(others.length > 4000);
    for (const other of others) assert.equal(asked.find(other, 0), undefined);
    assert.equal(asked.find(codes, 9), undefined, 'half of one and half of the next');
    assert.equal(asked.find(codes, codes.length - 17), undefined, 'beyond the end');
  });

  it('are told apart by every single character', () => {
    const [one] = listed as [SubjectId];
    const asked = askedSubjects([one]);
    for (let at = 0; at < 18; at += 1) {
      for (const other of ['0', 'Y', '\u0100', String.fromCharCode(one.charCodeAt(at) + 256)]) {
        const changed = one.slice(0, at) + other + one.slice(at + 1);
        assert.equal(asked.find(changed, 0), changed === one ? 0 : undefined);
      }
    }
  });

  it('are one when they are listed twice; what is no code is never found', () => {
    const [one, other] = listed as [SubjectId, SubjectId];
    const odd = `${other.slice(0, 17)}\u0130` as SubjectId;
    const asked = askedSubjects([one, one, 'short' as SubjectId, odd, other]);
    assert.equal(asked.find(one, 0), 0);
    assert.equal(asked.find(other, 0), 4);
    assert.equal(asked.find(odd, 0), undefined);
    assert.equal(askedSubjects([]).find(one, 0), undefined);
  });
});
