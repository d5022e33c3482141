import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { child, main, root, secretsIn, startCliPlatform, type CliPlatform } from './support/platform.ts';

const page = readFileSync(path.join(root, 'docs/cli.md'), 'utf8');
const blocks = [...page.matchAll(/<!-- run -->\n```sh\n([\s\S]*?)```/g)].map(([, block]) => block ?? '');

describe('docs/cli.md', () => {
  let stage: CliPlatform;
  before(async function () {
    this.timeout(60_000);
    stage = await startCliPlatform();
  });
  after(() => stage.close());

  it('works as it is written, line by line, and shows no secret', async function () {
    this.timeout(120_000);
    assert.ok(blocks.length > 8);
    const { gatewayUrl, logVerifierKey } = stage.platform.gateway;
    const script = blocks.join('\n')
      .replaceAll('https://gateway.example', gatewayUrl)
      .replaceAll('gateway.example/log+1234abcd+AZ…', logVerifierKey)
      .replaceAll('2027-06-30', new Date(Date.now() + 180 * 86_400_000).toISOString().slice(0, 10));
    symlinkSync(path.join(root, 'policies'), stage.file('policies'));
    // a checkpoint is published every second: give the last answer time to be counted before anybody asks for its proof
    const shell = `set -eu\nveilgate() { case "$*" in "audit receipt"*--key*) sleep 1.2;; esac; "${process.execPath}" "${main}" "$@"; }\n${script}`;
    const { code, out, err } = await child('bash', ['-c', shell], { cwd: stage.folder, env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], VEILGATE_CLI_GATEWAY: gatewayUrl } });
    assert.equal(code, 0, `${out.slice(-2000)}\n${err}`);

    assert.match(out, /owner\.identity_number +read +the enterprise has not consented to this field/);
    assert.match(out, /registry\.name +original +\S/);
    assert.match(out, /tax\.declared_revenue_cents +2 +band +\d+ to /);
    assert.match(out, /receipt +checked, kept in answer\.json/);
    assert.match(out, /notice +subject +grant +field +received[\s\S]*tax\.declared_revenue_cents +\d+ times/);
    assert.match(out, /told +grant +received +as +seen\nbank-a /);
    assert.match(out, /The log is sound\./);
    assert.match(out, /continues +the log of \d+ entries seen before|"remembered_size":\d+/);
    assert.match(out, /in the log +yes, proven under a signed checkpoint/);
    assert.match(out, /records +\d+ agree with their entries/);
    assert.match(out, /pre_loan_review +query +[1-9]\d* +/);
    assert.match(readFileSync(stage.file('work.csv'), 'utf8'), /^answers,bank-a,pre_loan_review,,query,,released,[1-9]/m);
    assert.equal(out.match(/The report is right: the institution signed it/g)?.length, 2);
    assert.match(out, /Nothing stands out\./);
    assert.match(out, /bank-a is suspended now\.\nbank-a is approved now\./);

    const files = readdirSync(stage.folder).filter((name) => name.endsWith('.json')).map(stage.file);
    const secrets = secretsIn(files);
    assert.ok(secrets.length >= 9);
    const shown = out + err + stage.platform.logged();
    for (const secret of secrets) assert.ok(!shown.includes(secret));
    assert.doesNotMatch(out + err, /eyJ[A-Za-z0-9_-]+\.eyJ/, 'a token was printed');
    for (const name of ['bank-a.json', 'answer.json', 'letter.txt', 'enterprise.json', 'consent-receipt.jws', 'report.html', 'report.json']) assert.equal(statSync(stage.file(name)).mode & 0o777, 0o600, name);
  });
});
