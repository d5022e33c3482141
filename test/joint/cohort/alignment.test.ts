import { strict as assert } from 'node:assert';
import { sampleSubject } from '../../../scripts/sample/subjects.ts';
import { createAlignment, match, pointsMax } from '../../../src/joint/cohort/alignment.ts';
import { loadGroup, pointBytes, type Group } from '../../../src/joint/cohort/group.ts';
import { VeilgateError } from '../../../src/errors.ts';
import type { SubjectId } from '../../../src/vocabulary.ts';

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const codes = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => sampleSubject(from + at, 1));
const refused = (error: unknown) => error instanceof VeilgateError && error.code === 'COHORT_POINT_REFUSED';

describe('the alignment of a cohort', () => {
  let group: Group;
  before(async () => {
    group = await loadGroup();
  });

  it('hashes to the group and multiplies as RFC 9497 publishes (ristretto255-SHA512, OPRF mode)', () => {
    const domain = new TextEncoder().encode('HashToGroup-OPRFV1-\x00-ristretto255-SHA512');
    const blind = hex('64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706');
    const blinded = (input: string) => Buffer.from(group.multiply(blind, group.hashToPoint(hex(input), domain))).toString('hex');
    assert.equal(blinded('00'), '609a0ae68c15a3cf6903766461307e5c8bb2f95e7e6550e1ffa2dc99e412803c');
    assert.equal(blinded('5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'), 'da27ef466870f5f15296299850aa088629945a17d1f5b7f5ff043f76b3c06418');
  });

  it('tells the partner the positions of its own customers in the cohort, and of nobody else', () => {
    const [partner, platform] = [group.randomScalar(), group.randomScalar()];
    const run = createAlignment(group, 'run 1');
    const list = codes(20, 60);
    const cohort = codes(0, 40);
    const own = run.blindAgain(platform, run.blind(partner, list));
    const members = run.blindAgain(partner, run.blind(platform, cohort));
    assert.deepEqual(match(own, members), list.map((code) => (cohort.includes(code) ? cohort.indexOf(code) : undefined)));
  });

  it('shows neither side anything that could be compared: the same codes under other secrets or in another run are other points', () => {
    const secret = group.randomScalar();
    const [a, b] = [createAlignment(group, 'run 1'), createAlignment(group, 'run 2')];
    const seen = new Set([a.blind(secret, codes(0, 1)), b.blind(secret, codes(0, 1)), a.blind(group.randomScalar(), codes(0, 1))].map((points) => Buffer.from(points).toString('hex')));
    assert.equal(seen.size, 3);
  });

  it('cannot be enumerated by whoever only has the points: hashes without a secret would be (the naive version)', () => {
    const domain = new TextEncoder().encode('veilgate-cohort-v1 run 1');
    const hashed = (code: SubjectId) => Buffer.from(group.hashToPoint(new TextEncoder().encode(code), domain)).toString('hex');
    const naive = hashed(sampleSubject(7, 1));
    assert.ok(codes(0, 20).some((code) => hashed(code) === naive), 'the attack works on bare hashes');
    const blinded = Buffer.from(createAlignment(group, 'run 1').blind(group.randomScalar(), codes(7, 8))).toString('hex');
    assert.ok(!codes(0, 20).some((code) => hashed(code) === blinded));
  });

  it('refuses what is no point, the identity, half a point and too many', () => {
    const run = createAlignment(group, 'run 1');
    const secret = group.randomScalar();
    assert.throws(() => run.blindAgain(secret, new Uint8Array(pointBytes).fill(255)), refused);
    assert.throws(() => run.blindAgain(secret, new Uint8Array(pointBytes)), refused, 'the identity');
    assert.throws(() => run.blindAgain(secret, new Uint8Array(pointBytes + 1)), refused);
    assert.throws(() => run.blindAgain(secret, new Uint8Array((pointsMax + 1) * pointBytes)), refused);
    const valid = run.blind(secret, codes(0, 1));
    valid[31] = (valid[31] as number) | 0x80; // not canonical
    assert.throws(() => run.blindAgain(secret, valid), refused);
  });
});
