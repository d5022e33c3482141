import { strict as assert } from 'node:assert';
import { askedSubjects } from '../../../src/scoring/run/asked-subjects.ts';
import { sampleSubject } from '../../../scripts/sample/subjects.ts';
import type { SubjectId } from '../../../src/vocabulary.ts';

const listed = Array.from({ length: 5000 }, (_, n) => sampleSubject(n, 7));

describe('enterprises that were asked for', () => {
  it('are found wherever their codes stand in a text, and no others', () => {
    const asked = askedSubjects(listed);
    assert.deepEqual(asked.findAll(listed.toReversed().join('')), Uint32Array.from(listed, (_, at) => listed.length - 1 - at));
    assert.ok(listed.every((subject, index) => asked.subject(index) === subject));
    const others = Array.from({ length: 5000 }, (_, n) => sampleSubject(n, 8)).filter((other) => !listed.includes(other));
    assert.ok(others.length > 4000);
    for (const other of others) assert.equal(asked.findAll(`${listed[0]}${other}`), undefined);
    assert.equal(asked.findAll(`${listed.join('').slice(9)}${'0'.repeat(9)}`), undefined, 'half of one and half of the next');
    assert.equal(asked.findAll(listed.join('').slice(0, -1)), undefined, 'the last one is cut off');
    assert.deepEqual(asked.findAll(''), new Uint32Array());
  });

  it('are told apart by every single character', () => {
    const [one] = listed as [SubjectId];
    const asked = askedSubjects([one]);
    for (let at = 0; at < 18; at += 1) {
      for (const other of ['0', 'Y', '\u0100', String.fromCharCode(one.charCodeAt(at) + 256)]) {
        const changed = one.slice(0, at) + other + one.slice(at + 1);
        assert.deepEqual(asked.findAll(changed), changed === one ? Uint32Array.of(0) : undefined);
      }
    }
  });

  it('are one when they are listed twice; what is no code is never found', () => {
    const [one, other] = listed as [SubjectId, SubjectId];
    const odd = `${other.slice(0, 17)}\u0130` as SubjectId;
    const asked = askedSubjects([one, one, 'short' as SubjectId, odd, other]);
    assert.deepEqual(asked.findAll(`${one}${other}${one}`), Uint32Array.of(0, 4, 0));
    assert.equal(asked.findAll(odd), undefined);
    assert.equal(askedSubjects([]).findAll(one), undefined);
  });
});
