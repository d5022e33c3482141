import { strict as assert } from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { JSONWebKeySet } from 'jose';
import type { Download, Page } from 'playwright-core';
import { platformKeys, type BankClient } from '../../src/sdk/bank.ts';
import { departmentClient } from '../../src/sdk/department.ts';
import { checkEntryProof, type EntryProof } from '../../src/sdk/entry-proof.ts';
import { noticesClient, objectionsClient } from '../../src/sdk/objections.ts';
import { checkExport } from '../../src/sdk/own-export.ts';
import { veilgate } from '../cli/support/platform.ts';
import { codeOf } from '../support/joint.ts';
import { password, type TestPlatform } from '../support/gateway.ts';
import { assertAccessible, inspect, screenshot, hasRows } from './support/console.ts';
import { disputed, handsOn, scripted, startEnterpriseStage, subject, terms, type EnterpriseStage } from './support/enterprise-stage.ts';

describe('the enterprise\'s console', function () {
  this.timeout(180_000);
  let stage: EnterpriseStage;
  let platform: TestPlatform;
  let bank: BankClient;
  let otherBank: BankClient;
  let page: Page;
  let hands: ReturnType<typeof handsOn>;

  before(async function () {
    const opened = await startEnterpriseStage();
    if (opened === undefined) return this.skip();
    stage = opened;
    ({ platform, bank, otherBank } = stage);
    page = await stage.open(stage.person, '/console/');
    hands = handsOn(page);
    return undefined;
  });
  afterEach(async function () {
    if (page === undefined) return;
    if (this.currentTest?.state === 'failed') await screenshot(page, 'enterprise-failed');
    assert.equal(await page.evaluate('window.injected'), undefined, 'a text was run');
  });
  after(async () => stage?.close());

  const query = (grant?: string) => bank.query({ subject, purpose: terms.purpose, ...(grant === undefined ? {} : { grant }), read: ['registry.name', 'registry.address', disputed] });
  const grantsOf = async (client: BankClient) => (await client.grants()).grants.filter((grant) => grant.subject === subject);

  it('says on every page that there is nothing, while there is nothing', async () => {
    await hands.heading('Overview');
    await page.getByText('Nothing waits for you.').waitFor();
    await inspect(page, 'enterprise-empty');
    await hands.go('Grants');
    await page.getByText('Nothing is granted at this moment').waitFor();
    await page.locator('h1:focus').waitFor(); // whoever cannot see the page change hears it
    await hands.go('Who has access', 'Who has access to your data now');
    await page.getByText('Nobody has access to your data at this moment.').waitFor();
    await hands.go('Objections');
    await page.getByText('You have objected to nothing yet.').waitFor();
    await hands.go('Requests', 'Requests for grants');
    await page.getByText('Nothing waits for your answer.').waitFor();
  });

  it('shows what waits for an answer', async () => {
    await bank.askForGrant({ ...terms, subject }, `For your loan of 3 June ${scripted}`);
    await otherBank.askForGrant({ ...terms, subject });
    await page.reload();
    await hands.go('Overview');
    await hands.section('Waits for you').getByRole('link', { name: 'Bank bank-a' }).waitFor();
    await hands.inspectInBoth('enterprise-overview');
  });

  it('narrows a request, says what would follow, and agrees once however often one presses', async () => {
    await hands.section('Waits for you').getByRole('link', { name: 'Bank bank-a' }).click();
    await hands.heading('Request of Bank bank-a');
    await page.getByText(scripted).waitFor();
    await hands.checkbox(/^Registration status$/).click();
    await hands.checkbox(/^Only desensitised Enterprise name$/).click();
    await page.getByLabel('Valid for so many days').fill('31');
    await page.getByLabel('Answers altogether, at most').fill('5');
    await page.getByRole('button', { name: 'Agree' }).click();
    await page.getByText('Some of your choices cannot be sent yet').waitFor();
    await page.getByLabel('Valid for so many days').fill('7');
    await hands.inspectInBoth('enterprise-request');
    await page.getByRole('button', { name: 'Agree' }).click();
    await hands.dialog().getByText('Fields not given at all: 1').waitFor();
    await hands.dialog().getByText('At most 5 answers altogether').waitFor();
    await assertAccessible(page);
    await hands.dialog().getByRole('button', { name: 'Agree' }).dblclick();
    await page.getByText('You agreed.').waitFor();
    const [grant, ...more] = await grantsOf(bank);
    assert.deepEqual([more.length, grant?.uses_max, grant?.state], [0, 5, 'active']);
    assert.deepEqual(Object.fromEntries((grant?.fields ?? []).map(({ field, ceiling }) => [field, ceiling])), {
      'registry.name': 'desensitised', 'registry.address': 'desensitised', 'tax.period': 'original', [disputed]: 'desensitised',
    });
    assert.equal(Math.round((Date.parse(grant?.valid_until ?? '') - Date.parse(grant?.valid_from ?? '')) / 86_400_000), 7);
  });

  it('agrees to nothing that changed since it was read, and shows both sides', async () => {
    await hands.go('Requests', 'Requests for grants');
    await page.getByRole('link', { name: /^Bank B/ }).click();
    await page.getByLabel('Valid for so many days').fill('9');
    await platform.database.query('update party set name_en = $1 where id = $2', [`Bank B ${scripted} and Partners`, 'bank-b']);
    await page.getByRole('button', { name: 'Agree' }).click();
    await hands.dialog().getByRole('button', { name: 'Agree' }).click();
    await hands.dialog().getByText('What you would agree to has changed since you read it').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('cell', { name: /and Partners$/ }).waitFor();
    await hands.inspectInBoth('enterprise-request-changed');
    assert.equal((await grantsOf(otherBank)).length, 0);
    await page.getByRole('button', { name: 'Go on with what holds now' }).click();
    assert.equal(await page.getByLabel('Valid for so many days').inputValue(), '9', 'what was chosen stays');
    await page.getByRole('button', { name: 'Agree' }).waitFor();
  });

  it('refuses with a reason that the institution reads', async () => {
    await page.getByRole('button', { name: 'Refuse' }).click();
    await hands.dialog().getByLabel('Reason, for the institution to read').fill('We chose\nanother bank');
    await assertAccessible(page);
    await hands.dialog().getByRole('button', { name: 'Refuse' }).click();
    await page.getByText('You refused this request').waitFor();
    const [request] = (await otherBank.grantRequests()).requests;
    assert.deepEqual([request?.state, request?.reason], ['refused', 'We chose another bank']);
  });

  it('lists grants, opens one, pauses it where a second tab is told of it, resumes it, and keeps its receipt', async () => {
    const [grant] = await grantsOf(bank);
    assert.ok(grant);
    assert.equal((await query()).data['registry']?.length, 1);
    await hands.go('Grants');
    await inspect(page, 'enterprise-grants-en');
    await page.getByRole('link', { name: 'Bank bank-a' }).click();
    await hands.heading('Grant to Bank bank-a');
    await hands.section('What happened under this grant').getByRole('link', { name: 'Data was given' }).waitFor();
    await hands.inspectInBoth('enterprise-grant');
    const { name, text } = await hands.saved(page.getByRole('button', { name: 'Download receipt' }));
    assert.equal(name, `consent-${grant.id}.jws`);
    assert.match(text, /^[\w-]+\.[\w-]+\.[\w-]+$/);
    const tab = await page.context().newPage();
    await tab.goto(page.url());
    await tab.getByRole('button', { name: 'Pause' }).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await hands.dialog().getByRole('button', { name: 'Pause' }).click();
    await page.getByText('The grant is paused.').waitFor();
    await tab.getByRole('button', { name: 'Pause' }).click();
    await tab.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await tab.getByText('CONSENT_STATE_CONFLICT').waitFor();
    await tab.keyboard.press('Escape');
    await tab.getByRole('button', { name: 'Resume' }).waitFor();
    await tab.close();
    assert.equal(await codeOf(query(grant.id)), 'CONSENT_PAUSED');
    await page.getByRole('button', { name: 'Resume' }).click();
    await hands.dialog().getByRole('button', { name: 'Resume' }).click();
    await page.getByText('The grant is in force again.').waitFor();
    assert.ok((await query(grant.id)).receipt);
  });

  it('says who could access the enterprise now, and by which rule', async () => {
    await hands.go('Who has access', 'Who has access to your data now');
    await page.getByRole('heading', { level: 2, name: 'Bank bank-a' }).waitFor();
    await page.getByText('Nobody else: without a valid grant').waitFor();
    await hands.inspectInBoth('enterprise-readers');
  });

  it('finds accesses in the history, shows how each field was treated, and proves it', async () => {
    await hands.go('Access history');
    await page.getByRole('button', { name: /Outcome/ }).click();
    await page.getByRole('option', { name: 'Refused' }).click();
    await page.getByRole('button', { name: 'Apply filters' }).click();
    await page.getByText('Refused: You had paused the grant').waitFor();
    await page.waitForURL(/outcome=refused/);
    await hasRows(page, 2);
    await hands.inspectInBoth('enterprise-history');
    await page.getByRole('button', { name: 'Remove filters' }).click();
    await page.getByRole('link', { name: 'Data was given' }).first().click();
    await hands.heading(/^Data was given on/);
    await hands.section('How each field was treated').getByRole('row').nth(1).waitFor();
    const receipt = await hands.saved(page.getByRole('button', { name: 'Download receipt' }));
    assert.match(receipt.text, /^[\w-]+\.[\w-]+\.[\w-]+$/);
    await page.getByRole('button', { name: 'Check in this browser' }).click();
    await page.getByText(/^Checked: the log of/).or(page.getByRole('alert')).first().waitFor();
    if (await page.getByRole('alert').count() > 0) {
      await page.waitForTimeout(1500); // the next checkpoint
      await page.getByRole('button', { name: 'Check in this browser' }).click();
    }
    await page.getByText(/^Checked: the log of/).waitFor();
    const proof = await hands.saved(page.getByRole('button', { name: 'Download proof' }));
    assert.ok(await checkEntryProof(JSON.parse(proof.text) as EntryProof) > 0);
    await hands.inspectInBoth('enterprise-access');
  });

  it('objects to an access; when the network is lost nothing typed is, and it is submitted once', async () => {
    await page.getByRole('link', { name: 'Object to this access' }).click();
    await hands.heading('New objection');
    const words = `We never applied for a loan. ${scripted}`;
    await page.getByRole('button', { name: 'Submit objection' }).click();
    await page.getByText('Say why you object.').waitFor();
    await page.getByLabel('Your reasons').fill(words);
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'Submit objection' }).click();
    await page.getByText('The platform does not answer').waitFor();
    assert.equal(await page.getByLabel('Your reasons').inputValue(), words);
    await inspect(page, 'enterprise-objection-offline');
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Submit objection' }).dblclick();
    await hands.heading(/^Objection to Access/);
    await page.getByText(words).waitFor();
    await hands.section('Steps').getByText('A compliance officer accepts or returns it').waitFor();
    const { rows } = await platform.database.query('select id from objection where subject = $1', [subject]);
    assert.equal(rows.length, 1);
  });

  it('objects to a record and follows it to its correction: steps, deadlines, who was told', async () => {
    await hands.go('Objections');
    await page.getByRole('link', { name: 'New objection' }).click();
    await page.getByRole('button', { name: /Source/ }).click();
    await page.getByRole('option', { name: 'Tax', exact: true }).click();
    await page.getByRole('button', { name: /Field/ }).click();
    await page.getByRole('option', { name: 'Declared sales revenue' }).click();
    await page.getByText('The value is outdated').click();
    await page.getByLabel('Your reasons').fill('We filed a correction in July.');
    await hands.inspectInBoth('enterprise-new-objection');
    await page.getByRole('button', { name: 'Submit objection' }).click();
    await hands.heading(/^Objection to Declared sales revenue/);
    const id = new URL(page.url()).pathname.split('/').at(-1) ?? '';

    const officer = objectionsClient(await platform.connect('officer-compliance', 'compliance'));
    const connection = await platform.connect('tax_administration', 'records');
    await officer.take(id, 'accept');
    assert.deepEqual((await query()).disputed, [disputed]);
    const { rows: [row] } = await platform.database.query<{ record: Record<string, unknown> }>(
      "select to_jsonb(t) - '_supplied_at' as record from domain.tax t where subject = $1 order by period desc limit 1", [subject]);
    await departmentClient(connection).correct('tax', { ...row?.record, declared_revenue_cents: 4_242 });
    await objectionsClient(connection).take(id, 'correct', `The filing of July counts. ${scripted}`);
    const notices = noticesClient(await platform.connect('bank-a', 'query'));
    await notices.acknowledge((await notices.notices({ open: true })).notices[0]?.id ?? '');

    await page.reload();
    await hands.section('Steps').getByText('Value corrected').waitFor();
    await hands.section('Steps').getByText(`The filing of July counts. ${scripted}`).waitFor();
    await hands.section('Who was told of the correction').getByRole('link', { name: 'Bank bank-a' }).waitFor();
    const heard = await page.getByRole('main').ariaSnapshot();
    assert.match(heard, /heading "Steps" \[level=2\]\s+- list:\s+- listitem:/, 'steps are a list to those who hear them');
    await hands.inspectInBoth('enterprise-objection');
    await page.getByRole('button', { name: 'Close objection' }).click();
    await hands.dialog().getByRole('button', { name: 'Close objection' }).click();
    await page.getByText('The objection is closed.').waitFor();
    await hands.go('Objections');
    await hands.inspectInBoth('enterprise-objections');
  });

  it('keeps what was typed when the session ends, and goes on after signing in again', async () => {
    await page.goto(`${platform.gateway.issuerUrl}/console/enterprise/objections/new?field=registry.name`);
    await page.getByLabel('Your reasons').fill('Our name has changed.');
    await page.context().clearCookies();
    await page.getByRole('button', { name: 'Submit objection' }).click();
    await page.getByText('Your session has ended').waitFor();
    assert.equal(await page.getByLabel('Your reasons').inputValue(), 'Our name has changed.');
    await assertAccessible(page);
    const [tab] = await Promise.all([page.context().waitForEvent('page'), page.getByRole('link', { name: 'Sign in in a new tab' }).click()]);
    await tab.fill('[name=username]', stage.person.username);
    await tab.fill('[name=password]', password);
    await tab.click('form button:not(.link)');
    await tab.waitForURL(/\/console\/enterprise\/objections\/new/);
    await tab.close();
    await page.getByRole('button', { name: 'Submit objection' }).click();
    await hands.heading(/^Objection to/);
    assert.equal(await page.getByText('Your session has ended').count(), 0);
  });

  it('revokes for good', async () => {
    const [grant] = await grantsOf(bank);
    await hands.go('Grants');
    await page.getByRole('link', { name: 'Bank bank-a' }).click();
    await page.getByRole('button', { name: 'Revoke' }).focus();
    await page.keyboard.press('Enter');
    await hands.dialog().getByText('This cannot be undone').waitFor();
    await page.keyboard.press('Escape');
    await hands.dialog().waitFor({ state: 'detached' });
    await page.locator('button:focus', { hasText: 'Revoke' }).waitFor(); // the keyboard is where it was
    await page.keyboard.press('Enter');
    await hands.dialog().getByText('This cannot be undone').waitFor();
    await inspect(page, 'enterprise-revoke');
    await hands.dialog().getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('The grant is revoked.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Resume' }).count(), 0);
    assert.equal(await codeOf(query(grant?.id)), 'CONSENT_REVOKED');
  });

  it('takes everything along, signed, as JSON and as tables, and leads to the account\'s own pages', async () => {
    await hands.go('My data and account');
    const [whole] = await Promise.all([hands.saved(page.getByRole('button', { name: /^Everything as JSON/ })), page.getByText(/^Checked in this browser: complete/).waitFor()]);
    const { lines } = await checkExport(whole.text, { keys: await platformKeys(platform.gateway.gatewayUrl) as JSONWebKeySet, issuer: platform.gateway.gatewayUrl });
    assert.deepEqual([...new Set(lines.map(({ part }) => part))].toSorted(), ['accesses', 'grant_requests', 'grants', 'header', 'objections', 'records']);
    await page.getByRole('button', { name: /Part/ }).click();
    await page.getByRole('option', { name: 'Enterprise registration' }).click();
    const files: Download[] = [];
    page.on('download', (file) => files.push(file));
    await page.getByRole('button', { name: 'Download as CSV' }).click();
    await page.getByText(/^Checked in this browser: unchanged/).waitFor();
    assert.deepEqual(files.map((file) => file.suggestedFilename()), ['veilgate-registry.csv', 'veilgate-registry.csv.jws']);
    assert.match(readFileSync(await files[0]?.path() ?? '', 'utf8'), /^name,/);
    const kept = path.join(platform.folder, 'kept');
    await Promise.all(files.map((file) => file.saveAs(path.join(kept, file.suggestedFilename()))));
    writeFileSync(path.join(kept, whole.name), whole.text);
    const checks = async (file: string, ...more: readonly string[]) => veilgate(['--gateway', platform.gateway.gatewayUrl, 'access', 'check', path.join(kept, file), ...more]);
    for (const [name, ...more] of [[whole.name], ['veilgate-registry.csv', '--csv']] as const) {
      const sound = await checks(name, ...more);
      assert.match(`${sound.code} ${sound.err}${sound.out}`, new RegExp(`^0 [^]*whole and unchanged[^]*${subject}`));
      writeFileSync(path.join(kept, name), readFileSync(path.join(kept, name), 'utf8').replace(/[0-9](?=[^0-9]*$)/, (digit) => String((Number(digit) + 1) % 10)));
      assert.match((await checks(name, ...more)).err, /EXPORT_INVALID/, 'a digit that changed is found');
    }
    await hands.inspectInBoth('enterprise-data');
    for (const [link, address] of [['Change password', '/password'], ['Passkeys', '/passkeys']] as const) assert.equal(await page.getByRole('link', { name: link }).getAttribute('href'), address);
  });

  it('turns the pages of a long history', async () => {
    await hands.go('Access history');
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => { arrive = resolve; });
    await page.route('**/v1/accesses?*before=*', async (route) => { await arrived; await route.continue(); });
    const older = page.getByRole('button', { name: 'Older' });
    await older.click();
    await older.click(); // the next page is still on its way
    arrive();
    await page.getByRole('link', { name: 'Enterprise registered' }).waitFor();
    assert.equal(await page.getByText(/^Page \d+$/).innerText(), 'Page 2', 'one page, however often one presses');
    await page.unrouteAll();
    await page.getByRole('button', { name: 'Older', disabled: true }).waitFor();
    await page.getByRole('button', { name: 'Newer' }).click();
    await page.getByText('Page 1').waitFor();
  });

  it('has no pages of other people\'s work', async () => {
    for (const address of ['compliance/policy', 'compliance/institutions', 'query', 'audit']) {
      await page.goto(`${platform.gateway.issuerUrl}/console/${address}`);
      await hands.heading('No such page');
    }
  });

  it('shows another enterprise nothing: their addresses are as those of nothing', async () => {
    const { rows: [objection] } = await platform.database.query<{ id: string }>('select id from objection where subject = $1 limit 1', [subject]);
    const { rows: [entry] } = await platform.database.query<{ index: number }>("select index from audit_entry where subject = $1 and kind = 'query.released' limit 1", [subject]);
    const [grant] = await grantsOf(bank);
    const [request] = (await bank.grantRequests()).requests;
    const nobodys = 'A'.repeat(22);
    const theirs = await stage.open(stage.other, '/console/');
    const told = async (address: string) => {
      await theirs.goto(`${platform.gateway.issuerUrl}/console/enterprise/${address}`);
      return theirs.getByRole('alert').innerText();
    };
    for (const [kind, id, none] of [['grants', grant?.id, nobodys], ['requests', request?.id, nobodys], ['objections', objection?.id, nobodys], ['history', entry?.index, 9_999_999]] as const) {
      const [one, nothing] = [await told(`${kind}/${id}`), await told(`${kind}/${none}`)];
      assert.equal(one, nothing);
      assert.match(one, /_NOT_FOUND/);
    }
    await theirs.goto(`${platform.gateway.issuerUrl}/console/enterprise/history`);
    await theirs.getByText('Enterprise registered').waitFor();
    assert.ok(!(await theirs.content()).includes('Bank bank-a'));
    assert.equal(await theirs.evaluate('window.injected'), undefined);
  });
});
