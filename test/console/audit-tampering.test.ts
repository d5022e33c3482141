import { strict as assert } from 'node:assert';
import type { Page, Route } from 'playwright-core';
import { checkpointSigner, type CheckpointSigner } from '../../src/audit/checkpoint.ts';
import { formatVerifierKey } from '../../src/audit/note.ts';
import { systemClock } from '../../src/clock.ts';
import { openExistingKeyring } from '../../src/identity/keyring.ts';
import type { EntryView } from '../../src/sdk/auditor.ts';
import { newKey } from '../audit/support/keys.ts';
import type { BankClient } from '../../src/sdk/bank.ts';
import type { TestPlatform } from '../support/gateway.ts';
import { ask, auditPages, inspectInBoth, makeHistory, published } from './support/audit-stage.ts';
import { assertAccessible, inspect, startTestConsole, type TestConsole } from './support/console.ts';
import { personOf } from './support/people.ts';

/** The platform is not believed: what it serves is changed on the way, as a platform that lies would change it. */
describe('an auditor\'s browser that is shown a forged log', function () {
  this.timeout(180_000);
  let stage: TestConsole;
  let platform: TestPlatform;
  let bank: BankClient;
  let page: Page;
  let on: ReturnType<typeof auditPages>;
  let signer: CheckpointSigner;
  let early: string;

  const checkpoint = async () => (await fetch(`${platform.gateway.gatewayUrl}/v1/log/checkpoint`)).text();
  const memory = () => page.evaluate<string>("localStorage.getItem('veilgate.log')");
  const serve = (pattern: string, change: (body: Buffer, route: Route) => Promise<Buffer> | Buffer) => page.route(pattern, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: await change(await response.body(), route) });
  });
  const flipped = (body: Buffer, at: number) => {
    const copy = Buffer.from(body);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };

  before(async function () {
    const opened = await startTestConsole();
    if (opened === undefined) return this.skip();
    stage = opened;
    platform = stage.platform;
    await platform.bank('bank-c');
    await published(platform);
    early = await checkpoint();
    bank = await makeHistory(platform);
    signer = await checkpointSigner(platform.config.auditLogOrigin, openExistingKeyring(platform.config.keysFolder, systemClock).logSigningKey);
    page = await stage.open(await personOf(platform, 'officer-auditor', 'officer', '审计员', 'audit'), '/console/audit/verification');
    on = auditPages(page);
    await page.getByRole('button', { name: 'Remember this key' }).click();
    await published(platform);
    await on.verify('Everything', 'The log is sound');
    return undefined;
  });
  afterEach(async () => page?.unrouteAll());
  after(async () => stage?.close());

  const notSound = async (depth: 'Continuation' | 'New entries' | 'Everything', fault: RegExp, where?: string) => {
    const before = await memory();
    await page.reload();
    await on.verify(depth, 'The log is NOT sound');
    const verdict = page.getByRole('alert');
    assert.match(await verdict.innerText(), fault);
    if (where !== undefined) await verdict.getByText(where, { exact: true }).waitFor();
    assert.equal(await memory(), before, 'what was remembered stays');
  };

  it('says so when entries were taken away', async () => {
    await serve('**/v1/log/checkpoint', () => Buffer.from(early));
    await notSound('Continuation', /shorter than it was/);
    await notSound('New entries', /shorter than it was/);
  });

  it('says so when the log\'s own key holder wrote another log, and keeps the evidence', async () => {
    await ask(bank);
    await published(platform);
    const size = Number((await checkpoint()).split('\n')[1]);
    const forged = await signer.sign({ size, root: new Uint8Array(32) });
    await serve('**/v1/log/checkpoint', () => Buffer.from(forged));
    await notSound('Everything', /root hash that the log signed/);
    await notSound('Continuation', /does not begin with what this browser remembers/);
    await inspectInBoth(page, 'not-sound');
    const { text } = await on.saved(page.getByRole('button', { name: 'Keep the evidence' }));
    const evidence = JSON.parse(text) as { readonly served: string; readonly remembered: { readonly note: string }; readonly trusted_keys: readonly string[] };
    assert.equal(evidence.served, forged);
    assert.match(evidence.remembered.note, new RegExp(`^${platform.config.auditLogOrigin}\n`));
    assert.deepEqual(evidence.trusted_keys, [formatVerifierKey(signer.key)]);
  });

  it('says so when somebody else signed, and that the platform publishes another key', async () => {
    const stranger = await checkpointSigner(platform.config.auditLogOrigin, newKey());
    const [, size, root] = (await checkpoint()).split('\n');
    const note = await stranger.sign({ size: Number(size), root: new Uint8Array(Buffer.from(root ?? '', 'base64')) });
    await serve('**/v1/log/checkpoint', () => Buffer.from(note));
    await serve('**/v1/log/key', () => Buffer.from(formatVerifierKey(stranger.key)));
    await page.reload();
    await page.getByText('The platform publishes another key than this browser remembers').waitFor();
    await inspect(page, 'audit-other-key');
    await on.verify('Continuation', 'The log is NOT sound');
    await page.getByRole('button', { name: 'Trust another key' }).click();
    await page.getByLabel(/^New verifier key/).fill('nonsense');
    await page.getByRole('button', { name: 'Trust this key' }).click();
    await page.getByText('CONFIG_INVALID').waitFor();
    await assertAccessible(page);
    await page.getByLabel(/^New verifier key/).fill(formatVerifierKey(stranger.key));
    await page.getByRole('button', { name: 'Trust this key' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(await page.getByText('The platform publishes another key').count(), 0);
    await on.verify('Continuation', 'The log is sound');
    await page.unrouteAll();
    await page.reload();
    await on.verify('Continuation', 'The log is sound');
    await page.goto(`${platform.gateway.issuerUrl}/console/audit/entries/3`);
    await page.getByText('Checked with the key this browser remembers.').waitFor();
    await page.goto(`${platform.gateway.issuerUrl}/console/audit/verification`);
  });

  it('does not believe a proof that comes with its own key', async () => {
    const stranger = await checkpointSigner(platform.config.auditLogOrigin, newKey());
    await serve('**/v1/log/entries/3/proof', async (body) => {
      const [head = '', text = ''] = body.toString('utf8').split('\n\n');
      const [, size, root] = text.split('\n');
      return Buffer.from(`${head}\n\n${await stranger.sign({ size: Number(size), root: new Uint8Array(Buffer.from(root ?? '', 'base64')) })}`);
    });
    await serve('**/v1/log/key', () => Buffer.from(formatVerifierKey(stranger.key)));
    await page.goto(`${platform.gateway.issuerUrl}/console/audit/entries/3`);
    await page.getByText('This entry is NOT what the log commits to').waitFor();
    await page.getByText('AUDIT_CHECKPOINT_INVALID').waitFor();
    await page.goto(`${platform.gateway.issuerUrl}/console/audit/verification`);
  });

  it('names the entry, the record or the listing that was changed', async () => {
    await serve('**/v1/log/tile/entries/**', (body) => flipped(body, 5 * 34 + 2));
    await notSound('Everything', /An entry contradicts the tree/, 'Entry 5');
    await page.unrouteAll();
    await serve('**/v1/log/records/**', (body) => Buffer.from(body.toString('utf8').replace('CONSENT_REQUIRED', 'CONSENT_REVOKED')));
    await notSound('Everything', /A record is not the one the entry committed to/);
    await page.unrouteAll();
    await serve('**/v1/log/records/**', (body) => {
      const { records } = JSON.parse(body.toString('utf8')) as { readonly records: readonly unknown[] };
      return Buffer.from(JSON.stringify({ records: records.with(7, null) }));
    });
    await notSound('Everything', /no entry says that it was erased/, 'Entry 7');
  });

  it('shows no entry as proven that is another one', async () => {
    await page.goto(`${platform.gateway.issuerUrl}/console/audit/entries?group=answers`);
    await serve('**/v1/log/entries/*', (body, route) => {
      if (!/entries\/\d+$/.test(route.request().url())) return body;
      const entry = JSON.parse(body.toString('utf8')) as EntryView;
      return Buffer.from(JSON.stringify({ ...entry, record: { ...entry.record, purpose: 'in_loan_approval' } }));
    });
    await page.getByRole('link', { name: 'Query answered' }).first().click();
    await page.getByText('This entry is NOT what the log commits to').waitFor();
    assert.equal(await page.getByText('Checked: the record is the one').count(), 0);
    await inspect(page, 'audit-entry-wrong');
  });

  it('concludes nothing when it is stopped, or when the platform does not answer', async () => {
    await page.goto(`${platform.gateway.issuerUrl}/console/audit/verification`);
    await page.route('**/v1/log/tile/**', () => {}); // never answered
    await page.getByText(/^Everything:/).click();
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByRole('progressbar', { name: 'Entries verified' }).waitFor();
    await assertAccessible(page);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped. Nothing was concluded.').waitFor();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.route('**/v1/log/tile/**', (route) => route.fulfill({ status: 503, body: '' }));
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText('AUDIT_UNAVAILABLE').waitFor();
    await page.unrouteAll();
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText('AUDIT_UNAVAILABLE').waitFor();
    await page.context().setOffline(false);
    await on.verify('Everything', 'The log is sound');
  });

  it('leaves a log that is too long for a browser to the command line', async () => {
    const vast = await signer.sign({ size: 5_000_000, root: new Uint8Array(32) });
    await serve('**/v1/log/checkpoint', () => Buffer.from(vast));
    await page.getByText(/^Everything:/).click();
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText('A browser looks at 100000 entries at most').waitFor();
  });

  it('says that its memory is damaged, and begins anew only when told to', async () => {
    await page.evaluate("localStorage.setItem('veilgate.log', '{\"keys\":[]}')");
    await page.reload();
    await page.getByText('What this browser remembered of the log is damaged').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Start' }).count(), 0);
    await assertAccessible(page);
    await page.getByRole('button', { name: 'Forget all this' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Forget all this' }).click();
    await page.getByRole('button', { name: 'Remember this key' }).waitFor();
  });
});
