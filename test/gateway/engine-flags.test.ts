import { strict as assert } from 'node:assert';
import { custodianFlags, serverFlags } from '../../src/gateway/engine-flags.ts';
import { textOf } from '../support/sources.ts';

describe('flags of the engine', () => {
  it('are the same in the scripts of package.json and in processes that are started by others', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
    assert.deepEqual([scripts['start'], scripts['worker'], scripts['custodian']], [
      `node ${serverFlags.join(' ')} src/gateway/main.ts`, `node ${serverFlags.join(' ')} src/gateway/worker/main.ts`, `node ${custodianFlags.join(' ')} src/custodian/main.ts`,
    ]);
  });
});
