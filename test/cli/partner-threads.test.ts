import assert from 'node:assert/strict';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import { partnerThreads, type PartnerThreads } from '../../src/cli/partner-threads.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { createAlignment } from '../../src/joint/cohort/alignment.ts';
import { loadGroup } from '../../src/joint/cohort/group.ts';
import { bundleSpec, digestsOf, newSeeds } from '../../src/sdk/joint-run.ts';

describe('cli: a partner\'s threads', () => {
  const seeds = newSeeds('project', 'cohort', 8);
  const spec = bundleSpec(seeds, 500, { partner_columns: [{ name: 'default', bins: 2 }] });
  let threads: PartnerThreads;
  before(() => { threads = partnerThreads(2); });
  after(() => threads.close());

  it('make the bundles that are made without them, in their order', async () => {
    const seen: number[] = [];
    const digests = await digestsOf(spec, seeds, { digestOf: threads.digestOf, onBundle: (made) => seen.push(made) });
    assert.deepEqual(digests, await digestsOf(spec, seeds));
    assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7, 8]);
    const finished: number[] = [];
    const late = await digestsOf(spec, seeds, {
      digestOf: async (_spec, index) => {
        await new Promise((resolve) => setTimeout(resolve, 40 - 5 * index));
        finished.push(index);
        return `bundle ${index}`;
      },
    });
    assert.deepEqual([late.at(0), late.at(-1), finished.at(0)], ['bundle 0', 'bundle 7', 7], 'several at a time, whoever is first');
  });

  it('blind as it is done without them, and refuse what is no point by its code', async () => {
    const group = await loadGroup();
    const [secret, codes] = [group.randomScalar(), [0, 1, 2].map((n) => sampleSubject(n, 1))];
    const sides = createAlignment(group, 'run');
    const points = await threads.blinding.blind('run', secret, codes);
    assert.deepEqual(points, sides.blind(secret, codes));
    assert.deepEqual(await threads.blinding.blindAgain('run', secret, points), sides.blindAgain(secret, points));
    await assert.rejects(threads.blinding.blindAgain('run', secret, new Uint8Array(32).fill(255)), (error) => isVeilgateError(error, 'COHORT_POINT_REFUSED'));
  });

  it('fail what waits when they end, and what comes after', async () => {
    const ending = partnerThreads(1);
    const waiting = Promise.all([ending.digestOf(spec, 0, new Uint8Array(32)), ending.digestOf(spec, 1, new Uint8Array(32))]);
    void ending.close();
    await assert.rejects(waiting, (error) => isVeilgateError(error, 'INTERNAL'));
    await assert.rejects(ending.digestOf(spec, 2, new Uint8Array(32)), (error) => isVeilgateError(error, 'INTERNAL'));
  });
});
