import { strict as assert } from 'node:assert';
import { writeFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { run } from '../../src/cli/run.ts';
import { publicKeys } from '../../src/sdk/keys.ts';
import { makeKey } from '../identity/signing.ts';
import { newBank, testSettings } from './support/workshop.ts';

describe('cli: custodian', () => {
  let folder: string;
  let environment: Readonly<Record<string, string>>;
  before(async () => ({ folder, environment } = await testSettings(await makeKey())));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const veilgate = async (...argv: readonly string[]) => {
    let out = '';
    let err = '';
    const code = await run(argv, { stdout: { write: (text) => { out += text; } }, stderr: { write: (text) => { err += text; } }, env: environment });
    return { code, out, err };
  };
  const json = async (...argv: readonly string[]) => {
    const { code, out } = await veilgate('custodian', ...argv, '--json');
    const answer = JSON.parse(out) as Record<string, unknown> & { error?: { code: string } };
    return { code, answer, fault: answer.error?.code };
  };

  it('makes keys in files that only the operator can read, shows and retires them', async () => {
    const first = (await json('make-key')).answer;
    assert.match(String(first['key']), /^[0-9]{8}-[0-9a-f]{16}$/);
    const file = readdirSync(path.join(folder, 'keys')).find((name) => name === `he-${String(first['key'])}.json`) ?? '';
    assert.equal(statSync(path.join(folder, 'keys', file)).mode & 0o777, 0o600);
    assert.equal((await json('retire-key', String(first['key']))).fault, 'CONFIG_INVALID');
    const second = (await json('make-key')).answer;
    const statement = (await json('statement')).answer as { keys: { id: string; statement: string }[]; statementKey: { kid: string } };
    assert.deepEqual(statement.keys.map(({ id }) => id), [second['key'], first['key']]);
    assert.ok(statement.keys.every(({ statement: jws }) => jws.split('.').length === 3));
    assert.equal((JSON.parse((await veilgate('custodian', 'statement-key')).out) as { kid: string; d?: string }).kid, statement.statementKey.kid);
    assert.match((await veilgate('custodian', 'statement')).out, /log verifier key +custodian\.localhost\/log\+/);
    assert.equal((await json('retire-key', String(first['key']))).code, 0);
    assert.equal(((await json('statement')).answer as { keys: unknown[] }).keys.length, 1);
  });

  it('admits, lists, suspends and reinstates banks; replaces their keys; takes no key of another', async () => {
    const bank = await newBank('bank-a');
    const file = (name: string, keys: readonly unknown[]) => {
      const at = path.join(folder, name);
      writeFileSync(at, JSON.stringify({ keys }));
      return at;
    };
    const keys = publicKeys(bank);
    assert.equal((await json('admit', 'bank-a', file('a.json', keys))).answer['state'], 'active');
    assert.equal((await json('admit', 'bank-b', file('a.json', keys))).fault, 'KEY_DUPLICATE');
    assert.equal((await json('admit', 'bank-b', file('b.json', [keys[0]]))).fault, 'CONFIG_INVALID', 'no key to seal to');
    assert.equal((await json('admit', 'bank b', file('a.json', keys))).fault, 'CONFIG_INVALID');
    assert.equal((await json('admit', 'bank-b', file('c.json', [{ ...keys[0], d: 'secret' }, keys[1]]))).fault, 'KEY_REFUSED');
    assert.equal((await json('suspend', 'bank-a')).code, 0);
    assert.equal((await json('suspend', 'bank-a')).fault, 'CONFIG_INVALID');
    const fresh = publicKeys(await newBank('bank-a'));
    assert.equal((await json('admit', 'bank-a', file('d.json', fresh))).answer['state'], 'suspended', 'new keys do not reinstate');
    assert.equal((await json('admit', 'bank-a', file('a.json', keys))).fault, 'KEY_DUPLICATE', 'a retired key never comes back');
    assert.equal((await json('reinstate', 'bank-a')).code, 0);
    const { out } = await veilgate('custodian', 'banks');
    assert.match(out, new RegExp(`bank-a +active +${fresh[0]?.kid} +${fresh[1]?.kid}`));
    assert.deepEqual((await json('clear-alarms')).answer, { cleared: [] });
  });
});
