import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { sampleSubject } from '../scripts/sample/subjects.ts';
import { generateCredentialsFile, readCredentials } from '../src/sdk/keys.ts';
import { applyForAdmission } from '../src/sdk/application.ts';
import { startTestPlatform, type TestPlatform } from './support/gateway.ts';
import { root, textOf } from './support/sources.ts';
import { loadSampleRecords } from './support/sample-records.ts';

const sample = { enterprises: 1, seed: 11 };
const subject = sampleSubject(0, sample.seed);

describe('README.md', () => {
  let platform: TestPlatform;
  let folder: string;

  before(async function () {
    this.timeout(60_000);
    platform = await startTestPlatform();
    folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-readme-'));
    await loadSampleRecords(platform, ['registry', 'tax'], sample);
    // the redirect address is the one the demo's bank has, which the README uses
    const file = await generateCredentialsFile('bank-a', { encryption: true });
    writeFileSync(path.join(folder, 'bank-a.json'), JSON.stringify(file), { mode: 0o600 });
    await applyForAdmission(platform.gateway.gatewayUrl, await readCredentials(file), {
      name: { en: 'First Bank', zh: '第一银行' }, institution_class: 'commercial_bank', redirect_uris: ['https://bank-a.example/callback'], country: 'CN',
    });
    await platform.compliance.assess('bank-a', { level: 4, passed: true, valid_until: new Date(Date.now() + 86_400_000 * 30).toISOString().slice(0, 10), findings_digest: 'a'.repeat(64) });
    await platform.registrar.approve('bank-a');
  });
  after(async () => {
    await platform.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('shows a first query that works as it stands', async function () {
    this.timeout(60_000);
    const code = /^```ts\n([\s\S]*?)^```/m.exec(textOf('README.md'))?.[1];
    assert.ok(code);
    // the reader saves it in the repository's folder; the test leaves that folder alone
    const script = path.join(folder, 'first-query.ts');
    writeFileSync(script, code.replaceAll("'./src/", `'${pathToFileURL(root).href}/src/`));
    const browser = await platform.representative(subject, 'wang.fang');
    const output = await play(script, async (url) => {
      const page = await browser.open(url);
      return (await browser.submit(page, { agree: 'yes', decision: 'grant' })).url.href;
    });
    const answer = JSON.parse(output) as { readonly data: Record<string, Record<string, { readonly kind: string }>[]>; readonly withheld: readonly object[]; readonly entry: number };
    assert.equal(answer.data['registry']?.[0]?.['name']?.kind, 'clear');
    assert.equal(answer.data['tax']?.[0]?.['declared_revenue_cents']?.kind, 'banded');
    assert.deepEqual(answer.withheld, []);
    assert.ok(answer.entry > 0);
  });

  /** Runs the script, consents where it says, hands it the address, and gives what it prints last. */
  async function play(script: string, consentAt: (url: string) => Promise<string>): Promise<string> {
    const child = spawn(process.execPath, [script, platform.gateway.gatewayUrl, path.join(folder, 'bank-a.json'), subject], { stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    let asked: Promise<void> | undefined;
    child.stderr.on('data', (chunk: Buffer) => { errors += chunk.toString('utf8'); });
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      const url = /As the enterprise, open (\S+) and consent\./.exec(output)?.[1];
      if (url !== undefined) asked ??= consentAt(url).then((address) => { child.stdin.write(`${address}\n`); }, () => { child.kill(); });
    });
    const exitCode = await new Promise((resolve) => { child.once('close', resolve); });
    assert.equal(exitCode, 0, errors);
    return output.slice(output.indexOf('{'));
  }
});
