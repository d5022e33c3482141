import { randomBytes } from 'node:crypto';
import { Browser } from './form-browser.ts';
import { parseVerifierKey } from '../../src/audit/note.ts';
import { httpLogReader } from '../../src/audit/http-reader.ts';
import { verifyReceipt, verifyReceiptInclusion } from '../../src/audit/receipt.ts';
import { verifyLog } from '../../src/audit/verify.ts';
import { systemClock } from '../../src/clock.ts';
import { applyForAdmission } from '../../src/sdk/application.ts';
import { bankClient, platformKeys, type BankClient, type GrantedConsent, type OpenedAnswer } from '../../src/sdk/bank.ts';
import { connect } from '../../src/sdk/connection.ts';
import { departmentClient } from '../../src/sdk/department.ts';
import type { Credentials } from '../../src/sdk/keys.ts';
import { officerClient, type officerClient as OfficerClientOf } from '../../src/sdk/officer.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import type { InstitutionId } from '../../src/vocabulary.ts';
import { sampleCsv, sampleDatasets, sampleRows } from '../sample/generate.ts';
import { sampleSubject } from '../sample/subjects.ts';
import { lookAtReports, makeReport } from './reports.ts';
import { officers, type Stage } from './stage.ts';
import { refusal, rowText, type Say, type Transcript } from './transcript.ts';

const auditLogOrigin = 'veilgate.localhost/log';
/** Enterprises whose records departments load. */
export const sample = { enterprises: 200, seed: 7 };
const redirectUri = 'https://bank-a.example/callback';
export const bankId = 'bank-a';
export const subject = sampleSubject(0, sample.seed);
/** A password of this run: whoever else is on this machine can reach the addresses too. */
export const representative = { username: 'wang.fang', password: randomBytes(9).toString('base64url') };

/** What the play leaves behind for whoever goes on by hand. */
export type Scene = { readonly grant: string };

/** What every play begins with: officers, records, an admitted bank. */
export async function playBeginning(stage: Stage, { act }: Transcript): Promise<{ readonly registrar: Officer; readonly bank: BankClient }> {
  const registrar = await act('The platform\'s officers sign in, each with a key of their own', async (say) => {
    for (const { id, name, roles } of officers) say(`${id} (${name.en}, ${name.zh}): ${roles.join(', ')}`);
    return officer(stage, 'officer-registrar', 'registry');
  });
  await act(`Departments are registered and load records of ${sample.enterprises} enterprises`, (say) => loadRecords(stage, registrar, say));
  const bank = await act('A bank applies, is assessed by one officer and approved by another', (say) => admitBank(stage, registrar, say));
  return { registrar, bank };
}

/** The main job, from an empty platform to a verified log. */
export async function playStory(stage: Stage, play: Transcript): Promise<Scene> {
  const { registrar, bank } = await playBeginning(stage, play);
  const { act } = play;
  const browser = await act('An enterprise is registered and its representative activates the account', (say) => activateEnterprise(stage, registrar, say));
  await act('Without consent nothing is answered, and the answer tells nothing', (say) => askWithoutConsent(bank, say));
  const consent = await act('The bank asks for consent; the representative narrows it and grants', (say) => giveConsent(stage, bank, browser, say));
  const answers = [
    await act('The bank asks for original detail: it comes sealed for the bank\'s key alone', (say) => askOriginal(bank, consent, say)),
    await act('The bank asks for what it may have desensitised only', (say) => askDesensitised(bank, consent, say)),
    await act('The bank verifies what it was told', (say) => verifyClaim(bank, consent, say)),
  ];
  await act('The bank asks for what it may not have', (say) => askForbidden(bank, consent, say));
  await act('Receipts and the log are verified by the independent verifier', (say) => verifyEverything(stage, answers, say));
  await act('The bank makes a credit report of an answer; anybody checks it', (say) => makeReport({ stage, bank, bankId, consent, subject }, say));
  await act('The enterprise revokes; the next query fails', (say) => revoke(stage, bank, browser, consent, say));
  await act('Auditor and compliance officer look at what happened', (say) => lookAtReports({ stage, bankId, subject }, say));
  return { grant: consent.grant };
}

type Officer = ReturnType<typeof OfficerClientOf>;

async function officer(stage: Stage, id: string, scope: string): Promise<Officer> {
  return officerClient(await connect({ gateway: stage.gateway.gatewayUrl, credentials: await stage.open(id), scope }));
}

async function loadRecords(stage: Stage, registrar: Officer, say: Say): Promise<void> {
  const catalogue = loadCatalogue('policies/catalogue');
  const departments = new Map<string, Credentials>();
  for (const dataset of catalogue.datasets.values()) {
    if (!sampleDatasets.includes(dataset.id)) continue;
    let credentials = departments.get(dataset.department);
    if (credentials === undefined) {
      credentials = await stage.credentials(dataset.department);
      departments.set(dataset.department, credentials);
      await registrar.registerDepartment({ id: dataset.department, name: { en: words(dataset.department), zh: dataset.title.zh }, key: credentials.signing.publicJwk });
    }
    const department = departmentClient(await connect({ gateway: stage.gateway.gatewayUrl, credentials, scope: 'records' }));
    const csv = [...sampleCsv(dataset, sample)].join('');
    const report = (await department.load(dataset.id, { format: 'csv', content: csv })) as { readonly rows: { readonly read: number; readonly rejected: number }; readonly fields: readonly { readonly completeness: number | null }[] };
    const complete = report.fields.reduce((sum, { completeness }) => sum + (completeness ?? 0), 0) / report.fields.length;
    say(`${words(dataset.department).padEnd(28)} ${dataset.id.padEnd(22)} ${String(report.rows.read).padStart(6)} rows, ${(complete * 100).toFixed(0)} % complete`);
  }
  say.expect(`${catalogue.fields.size} fields in ${catalogue.datasets.size} datasets are filled`, departments.size >= 8);
  say('Names, codes and records are made up; the financial ratios are real (UCI, Taiwanese enterprises).');
}

async function admitBank(stage: Stage, registrar: Officer, say: Say): Promise<BankClient> {
  const credentials = await stage.credentials(bankId, { encryption: true });
  const applied = await applyForAdmission(stage.gateway.gatewayUrl, credentials, {
    name: { en: 'First Commercial Bank of the Demo', zh: '演示第一商业银行' }, institution_class: 'commercial_bank', redirect_uris: [redirectUri], country: 'CN',
  });
  say(`${bankId} applied with its own keys: ${applied.status}`);
  const security = await officer(stage, 'officer-security', 'compliance');
  const assessment = { level: 4, passed: true, valid_until: new Date(Date.now() + 180 * 86_400_000).toISOString().slice(0, 10), findings_digest: 'f'.repeat(64) };
  await security.assess(bankId, assessment);
  const refused = await refusal(() => security.approve(bankId));
  say.expect('the assessor cannot approve as well (INSTITUTION_SAME_PERSON)', refused?.code === 'INSTITUTION_SAME_PERSON');
  const approved = await registrar.approve(bankId, { requests_per_second: 200, queries_per_day: 100_000 });
  say.expect('another officer approves: the bank is admitted at security level 4', approved.status === 'approved');
  return bankClient(await connect({ gateway: stage.gateway.gatewayUrl, credentials, scope: 'query' }));
}

async function activateEnterprise(stage: Stage, registrar: Officer, say: Say): Promise<Browser> {
  const { activation_code: code } = await registrar.registerEnterprise(subject, '王芳');
  say(`${subject} is registered; the one-time code goes to its representative by letter`);
  const browser = new Browser(stage.gateway.issuerUrl);
  const page = await browser.open('/activation');
  const done = await browser.submit(page, { holder: subject, code, ...representative, password_again: representative.password });
  say.expect('the representative chose a user name and a password (argon2id) and is signed in', done.status === 200 && done.url.pathname === '/console/');
  return browser;
}

const wanted = {
  subject,
  purpose: 'pre_loan_review',
  fields: [
    { field: 'registry.name', ceiling: 'original' },
    { field: 'registry.established_on', ceiling: 'original' },
    { field: 'tax.period', ceiling: 'original' },
    { field: 'tax.declared_revenue_cents', ceiling: 'original' },
    { field: 'social_insurance.period', ceiling: 'desensitised' },
    { field: 'social_insurance.insured_employees', ceiling: 'desensitised' },
    { field: 'owner.role', ceiling: 'desensitised' },
    { field: 'owner.name', ceiling: 'desensitised' },
    { field: 'owner.phone', ceiling: 'desensitised' },
    { field: 'utility.electricity_kwh', ceiling: 'original' },
  ],
  data_from: `${new Date().getFullYear() - 2}-01-01`,
  valid_days: 60,
  uses_max: 20,
  frequency: { max: 10, per: 'day' },
  data_life_days: 90,
  kind: 'periodic',
} as const;

async function askWithoutConsent(bank: BankClient, say: Say): Promise<void> {
  const ask = (of: string) => refusal(() => bank.query({ subject: of, purpose: wanted.purpose, read: ['tax.declared_revenue_cents'] }));
  const [real, unknown] = [await ask(subject), await ask(sampleSubject(9_999_999, sample.seed))];
  say(`${real?.code}: ${real?.message}`);
  say.expect('an enterprise that does not exist gets the very same answer', real?.code === 'CONSENT_REQUIRED' && JSON.stringify([real.message, real.detail]) === JSON.stringify([unknown?.message, unknown?.detail]));
  const explained = await bank.explain({ subject, purpose: wanted.purpose, read: ['tax.declared_revenue_cents'] }) as { readonly fields: readonly { readonly words: { readonly en: string } }[] };
  say(`explain: ${explained.fields[0]?.words.en}`);
}

async function giveConsent(stage: Stage, bank: BankClient, browser: Browser, say: Say): Promise<GrantedConsent> {
  const pending = await bank.requestConsent(wanted, redirectUri);
  say(`pushed authorization request; the browser only carries ${new URL(pending.url).searchParams.get('request_uri')?.slice(0, 44)}…`);
  const page = await browser.open(pending.url);
  say.expect('the page says in plain words who asks, why and what', ['First Commercial Bank of the Demo', 'Review before a loan', 'which only the institution can open'].every((text) => page.html.includes(text)));
  const kept = wanted.fields.map(({ field }) => field).filter((field) => field !== 'utility.electricity_kwh');
  const back = await browser.submit(page, { agree: 'yes', decision: 'grant', field: kept, valid_days: '30', uses_max: '8' });
  const consent = await pending.finish(back.url.href);
  say(`${stage.gateway.issuerUrl} returned to the bank; grant ${consent.grant}`);
  const { grants } = await bank.grants();
  const granted = grants.find(({ id }) => id === consent.grant) as { readonly uses_max: number; readonly fields: readonly { readonly field: string }[] } | undefined;
  say.expect('the grant is narrower than what was asked: 30 days, 8 answers, no electricity data', granted?.uses_max === 8 && granted.fields.every(({ field }) => field !== 'utility.electricity_kwh'));
  return consent;
}

async function askOriginal(bank: BankClient, consent: GrantedConsent, say: Say): Promise<OpenedAnswer> {
  const query = { subject, purpose: wanted.purpose, read: ['registry.name', 'registry.established_on', 'tax.period', 'tax.declared_revenue_cents'], rows: { tax: { limit: 3 } } };
  const answer = await bank.query(query, consent.accessToken);
  say(`on the way: {"data":{"tax":[{"declared_revenue_cents":{"kind":"sealed"}} …]},"sealed":"${answer.sealed?.slice(0, 28)}…" (${answer.sealed?.length} characters)}`);
  const revenue = answer.data['tax']?.map(({ period, declared_revenue_cents: cents }) => `${valueOf(period)} ${yuan(valueOf(cents))}`);
  say(`opened:     ${String(valueOf(answer.data['registry']?.[0]?.['name']))}, founded ${String(valueOf(answer.data['registry']?.[0]?.['established_on']))}; revenue ${revenue?.join(', ')}`);
  const stored = [...sampleRows('registry', { ...sample, enterprises: 1 })][0];
  say.expect('what the bank opened is what the department holds', valueOf(answer.data['registry']?.[0]?.['name']) === stored?.['name']);
  return answer;
}

async function askDesensitised(bank: BankClient, consent: GrantedConsent, say: Say): Promise<OpenedAnswer> {
  const answer = await bank.query({ subject, purpose: wanted.purpose, read: ['owner.role', 'owner.name', 'owner.phone', 'social_insurance.period', 'social_insurance.insured_employees'], rows: { social_insurance: { limit: 2 } } }, consent.accessToken);
  for (const row of answer.data['owner']?.slice(0, 3) ?? []) say(`owner             ${rowText(shown(row))}`);
  for (const row of answer.data['social_insurance'] ?? []) say(`social insurance  ${rowText(shown(row))}`);
  const names = [...sampleRows('owner', { ...sample, enterprises: 1 })].flatMap(({ name, phone }) => [String(name), String(phone)]);
  say.expect('no name and no telephone number is in the answer, and nothing had to be sealed', answer.sealed === undefined && names.every((name) => !JSON.stringify(answer).includes(name)));
  return answer;
}

async function verifyClaim(bank: BankClient, consent: GrantedConsent, say: Say): Promise<OpenedAnswer> {
  const latest = [...sampleRows('tax', { ...sample, enterprises: 1 })].toSorted((a, b) => String(b['period']).localeCompare(String(a['period'])))[0];
  const cents = Number(latest?.['declared_revenue_cents']);
  const claim = (claimed: number) => bank.query({ subject, purpose: wanted.purpose, verify: [{ field: 'tax.declared_revenue_cents', claimed }] }, consent.accessToken);
  const told = await claim(Math.round(cents * 1.01));
  const lied = await claim(cents * 3);
  say(`claimed ${yuan(Math.round(cents * 1.01))}: ${told.verified[0]?.outcome}; claimed ${yuan(cents * 3)}: ${lied.verified[0]?.outcome}`);
  say.expect('a claim one percent off is within tolerance, one three times as high is a mismatch', told.verified[0]?.outcome === 'within_tolerance' && lied.verified[0]?.outcome === 'mismatch');
  await refusal(() => claim(cents * 2));
  const searching = await refusal(() => claim(cents * 1.5));
  say.expect('attempts are counted: verification cannot be used to search for the value (QUERY_ATTEMPTS_EXHAUSTED)', searching?.code === 'QUERY_ATTEMPTS_EXHAUSTED');
  return told;
}

async function askForbidden(bank: BankClient, consent: GrantedConsent, say: Say): Promise<void> {
  const refused = await refusal(() => bank.query({ subject, purpose: wanted.purpose, read: ['utility.electricity_kwh', 'owner.identity_number'] }, consent.accessToken));
  say(`${refused?.code}: ${refused?.message}`);
  const detail = refused?.detail as { readonly withheld?: readonly { readonly field: string; readonly reason: string }[]; readonly grant_needed?: readonly { readonly fields: readonly object[] }[] } | undefined;
  for (const { field, reason } of detail?.withheld ?? []) say(`withheld ${field}: ${reason}`);
  say(`grant needed: ${JSON.stringify(detail?.grant_needed)}`);
  say.expect('the refusal names the reason for each field and the grant that is missing', refused?.code === 'QUERY_NOTHING_PERMITTED' && detail?.withheld?.length === 2 && (detail.grant_needed?.length ?? 0) > 0);
}

async function verifyEverything(stage: Stage, answers: readonly OpenedAnswer[], say: Say): Promise<void> {
  const { gatewayUrl, logVerifierKey } = stage.gateway;
  const trust = { origin: auditLogOrigin, logKeys: [await parseVerifierKey(logVerifierKey)] };
  const keys = (await platformKeys(gatewayUrl)) as Parameters<typeof verifyReceipt>[1]['keys'];
  let included = 0;
  for (const answer of answers) {
    const receipt = await verifyReceipt(answer.receipt, { keys, issuer: gatewayUrl, institution: bankId as InstitutionId, clock: systemClock, record: answer.entry.record });
    const proof = await eventually(async () => {
      const response = await fetch(`${gatewayUrl}/v1/log/entries/${receipt.log.index}/proof`);
      return response.ok ? response.text() : undefined;
    });
    await verifyReceiptInclusion(receipt, proof, trust);
    included += 1;
  }
  say.expect(`${answers.length} receipts are signed by the platform, commit to their records, and are proven to be in the log`, included === answers.length);
  const report = await verifyLog(httpLogReader({ url: `${gatewayUrl}/v1/log`, timeoutMs: 5000 }), { trust });
  say.expect(`the verifier re-derived the whole log from its entries: ${report.kind}, ${report.kind === 'sound' ? report.checkpoint.size : 0} entries`, report.kind === 'sound');
  say(`log key: ${logVerifierKey}`);
}

async function revoke(stage: Stage, bank: BankClient, browser: Browser, consent: GrantedConsent, say: Say): Promise<void> {
  const list = await browser.open(`${stage.gateway.issuerUrl}/consents`);
  const form = list.forms.findIndex(({ action }) => action.pathname.includes(consent.grant) && action.pathname.endsWith('/revoke'));
  say.expect('"My consents" shows the grant with a button to revoke it', form >= 0);
  await browser.submit(list, {}, { form });
  const refused = await refusal(() => bank.query({ subject, purpose: wanted.purpose, grant: consent.grant, read: ['registry.name'] }));
  say.expect(`the next query fails at once: ${refused?.code}`, refused?.code === 'CONSENT_REVOKED');
}

async function eventually<Result>(ask: () => Promise<Result | undefined>): Promise<Result> {
  for (let tries = 0; tries < 40; tries += 1) {
    const result = await ask();
    if (result !== undefined) return result;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error('no published checkpoint counts the entry');
}

type Shown = OpenedAnswer['data'][string][number];

function valueOf(disclosure: Shown[string] | undefined): unknown {
  return disclosure?.kind === 'clear' ? disclosure.value : undefined;
}

function shown(row: Shown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([name, disclosure]) => {
    switch (disclosure.kind) {
      case 'banded': return [name, `${disclosure.from ?? '…'} to ${disclosure.to ?? '…'}`];
      case 'absent': return [name, '—'];
      default: return [name, disclosure.value];
    }
  }));
}

function yuan(cents: unknown): string {
  return `¥${(Number(cents) / 100).toLocaleString('en', { maximumFractionDigits: 0 })}`;
}

function words(id: string): string {
  return id.replaceAll('_', ' ').replace(/^./, (first) => first.toUpperCase());
}
