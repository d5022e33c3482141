import { strict as assert } from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../../src/cli/run.ts';
import { officerClient } from '../../src/sdk/officer.ts';
import { startTestPlatform, type TestPlatform } from '../support/gateway.ts';
import { codeOf } from '../support/joint.ts';

describe('an application while as many wait as the platform takes', function () {
  this.timeout(60_000);
  let platform: TestPlatform;
  const file = (name: string) => path.join(platform.folder, name);

  before(async () => {
    platform = await startTestPlatform();
    for (const party of ['bank-a', 'officer-registrar', 'officer-compliance']) writeFileSync(file(`${party}.json`), JSON.stringify(await platform.credentialsFile(party)), { mode: 0o600 });
    await platform.database.query("insert into party (id, kind, status, registered_ms, changed_ms) select 'waiting-' || n, 'institution', 'applied', 0, 0 from generate_series(1, 1000) n");
  });
  after(() => platform.close());

  const veilgate = async (party: string, ...line: string[]) => {
    const written = { out: '', err: '' };
    const code = await run([...line, '--gateway', platform.gateway.gatewayUrl, '--credentials', file(`${party}.json`)], { stdout: { write: (text) => { written.out += text; } }, stderr: { write: (text) => { written.err += text; } }, env: {} });
    return { code, ...written };
  };
  const apply = (...more: string[]) => veilgate('bank-a', 'institution', 'apply', '--name-en', 'Bank A', '--name-zh', '甲银行', '--class', 'commercial_bank', ...more);

  it('is refused with the way that is left, and handed in by the registrar', async () => {
    assert.match((await apply()).err, /REQUEST_OVERLOADED.*institution apply --out/s);
    const written = await apply('--out', file('application.jwt'));
    assert.deepEqual([written.code, written.err], [0, '']);
    assert.doesNotMatch(readFileSync(file('application.jwt'), 'utf8'), /PRIVATE|"d"/);
    assert.match((await apply('--out', file('application.jwt'))).err, /CONFIG_INVALID/, 'over nothing that is there');

    assert.match((await veilgate('officer-compliance', 'institution', 'hand-in', file('application.jwt'))).err, /TOKEN_SCOPE_INSUFFICIENT|PARTY_NOT_PERMITTED/);
    assert.match((await veilgate('officer-registrar', 'institution', 'hand-in', file('bank-a.json'))).err, /CONFIG_INVALID/);
    const handed = await veilgate('officer-registrar', 'institution', 'hand-in', file('application.jwt'), '--json');
    assert.deepEqual([handed.code, handed.err, JSON.parse(handed.out)], [0, '', { id: 'bank-a', status: 'applied' }]);
    assert.equal((await platform.registrar.institution('bank-a')).registered_by, 'officer-registrar');
    const { rows: [entry] } = await platform.database.query<{ actor: string }>("select actor from audit_entry where kind = 'institution.applied'");
    assert.equal(entry?.actor, 'officer-registrar');
    assert.match((await veilgate('officer-registrar', 'institution', 'hand-in', file('application.jwt'))).err, /INSTITUTION_EXISTS/);
  });

  it('that was not signed by the key it carries, or is for somebody else, is handed in by nobody', async () => {
    const registrar = officerClient(await platform.connect('officer-registrar', 'registry'));
    const [head = '', body = '', signature = ''] = readFileSync(file('application.jwt'), 'utf8').trim().split('.');
    const other = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(body, 'base64url').toString()) as object, iss: 'bank-z' })).toString('base64url');
    assert.match(String(await codeOf(registrar.handIn(`${head}.${other}.${signature}`))), /^TOKEN_/);
  });
});
