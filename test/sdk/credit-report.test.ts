import { strict as assert } from 'node:assert';
import { CompactSign, type JSONWebKeySet } from 'jose';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import { parseVerifierKey } from '../../src/audit/note.ts';
import { canonicalJson } from '../../src/canonical.ts';
import { systemClock } from '../../src/clock.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { answerFormat, type AnswerFile } from '../../src/sdk/answer-file.ts';
import { platformKeys, type BankClient } from '../../src/sdk/bank.ts';
import { checkCreditReport, type CreditReportFault } from '../../src/sdk/credit-report-check.ts';
import { creditReportPage, fileInPage } from '../../src/sdk/credit-report-page.ts';
import { creditReportText, creditReportType, makeCreditReport, reportDigest, type CreditReport, type CreditReportFile } from '../../src/sdk/credit-report.ts';
import type { Credentials } from '../../src/sdk/keys.ts';
import { openChromium } from '../console/support/chromium.ts';
import { startTestPlatform, type TestPlatform } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { loadSampleRecords } from '../support/sample-records.ts';

const sample = { enterprises: 2, seed: 3 };
const subject = sampleSubject(0, sample.seed);
const attack = '<script>alert(1)</script>"\'`&<img src=x onerror=alert(2)>';

const faulty = (fault: CreditReportFault) => (error: unknown) => {
  assert.ok(isVeilgateError(error, 'REPORT_INVALID'), String(error));
  assert.equal(error.detail?.['fault'], fault);
  return true;
};

type Changeable<T> = T extends string | number | boolean ? T : T extends object ? { -readonly [Key in keyof T]: Changeable<T[Key]> } : T;

describe('credit report', () => {
  let platform: TestPlatform;
  let bank: BankClient;
  let credentials: Credentials;
  let file: CreditReportFile;
  let keys: JSONWebKeySet;
  let saved: AnswerFile;

  before(async function () {
    this.timeout(60_000);
    platform = await startTestPlatform();
    await loadSampleRecords(platform, ['registry', 'tax', 'owner'], sample);
    await platform.database.query('update domain.registry set name = $1 where subject = $2', [attack, subject]);
    bank = await platform.bank('bank-a');
    credentials = await platform.credentials('bank-a');
    await (await platform.enterprise(subject)).grant('bank-a', {
      subject, purpose: 'pre_loan_review', valid_days: 30, uses_max: 10, data_life_days: 45, kind: 'periodic',
      fields: [{ field: 'registry.name', ceiling: 'original' }, { field: 'tax.period', ceiling: 'original' }, { field: 'tax.declared_revenue_cents', ceiling: 'desensitised' }, { field: 'owner.name', ceiling: 'desensitised' }],
    });
    const exchange = await bank.exchange({
      subject, purpose: 'pre_loan_review', read: ['registry.name', 'tax.period', 'tax.declared_revenue_cents', 'owner.name', 'owner.identity_number'],
      verify: [{ field: 'tax.declared_revenue_cents', claimed: 123_456_789 }],
    });
    keys = (await platformKeys(platform.gateway.gatewayUrl)) as JSONWebKeySet;
    saved = { format: answerFormat, gateway: platform.gateway.gatewayUrl, institution: 'bank-a', keys, ...exchange };
    file = await makeCreditReport({ saved, credentials, catalogue: await bank.catalogue(), grant: await bank.readGrant(exchange.answer.grant), clock: systemClock });
  });
  after(() => platform.close());

  const check = (of: CreditReportFile | string) => checkCreditReport(typeof of === 'string' ? of : creditReportText(of), { keys, clock: systemClock, signer: credentials.signing.publicJwk });

  /** What a bank that lies can do: change the report and sign it anew with its own key. */
  async function lie(change: (report: Changeable<CreditReport>) => void): Promise<CreditReportFile> {
    const report = structuredClone(file.report) as Changeable<CreditReport>;
    change(report);
    return signed(report as CreditReport);
  }
  async function signed(report: CreditReport, header: object = {}): Promise<CreditReportFile> {
    const claims = { iss: report.institution, iat: Math.floor(Date.now() / 1000), report: await reportDigest(report) };
    const signature = await new CompactSign(new TextEncoder().encode(canonicalJson(claims))).setProtectedHeader({ alg: 'EdDSA', typ: creditReportType, kid: credentials.signing.publicJwk.kid, ...header }).sign(credentials.signing.privateKey);
    return { report, signature };
  }

  it('proves every value to whoever knows the platform\'s keys, and its place in the log', async () => {
    const checked = await check(file);
    assert.equal(checked.signer, credentials.signing.publicJwk.kid);
    assert.equal(checked.receipt.log.index, saved.answer.entry.index);
    assert.deepEqual(file.report.data['registry']?.[0]?.['name'], { kind: 'clear', value: attack });
    assert.ok((file.report.data['tax']?.length ?? 0) > 4, 'more than stand side by side');
    const { logVerifierKey, gatewayUrl } = platform.gateway;
    const key = await parseVerifierKey(logVerifierKey);
    const proof = await until('a checkpoint counts the entry', async () => {
      const response = await fetch(`${gatewayUrl}/v1/log/entries/${checked.receipt.log.index}/proof`);
      return response.ok ? response.text() : undefined;
    });
    const inclusion = { proof, trust: { origin: checked.receipt.log.origin, logKeys: [key] } };
    assert.ok(((await checkCreditReport(creditReportText(file), { keys, clock: systemClock, inclusion })).checkpoint?.size ?? 0) > checked.receipt.log.index);
    await assert.rejects(checkCreditReport(creditReportText(file), { keys, clock: systemClock, inclusion: { ...inclusion, proof: proof.replace(/^index \d+/m, 'index 0') } }), /./);
  });

  it('names only what the answer speaks of', () => {
    const { words } = file.report;
    assert.deepEqual(words.datasets.map(({ id }) => id).toSorted(), ['owner', 'registry', 'tax']);
    assert.ok(words.datasets.every(({ fields }) => fields.length <= 2));
    assert.equal(words.purpose?.code, 'pre_loan_review');
  });

  const parts: Readonly<Record<string, readonly [(report: Changeable<CreditReport>) => void, CreditReportFault]>> = {
    'an original value': [(report) => { report.data['registry']![0]!['name'] = { kind: 'clear', value: 'Another Company' }; }, 'values'],
    'a band': [(report) => { report.data['tax']![0]!['declared_revenue_cents'] = { kind: 'banded', from: 1, to: 2 }; }, 'values'],
    'a record left out': [(report) => { report.data['tax']!.pop(); }, 'values'],
    'the band in the answer too': [(report) => { report.data['tax']![0]!['declared_revenue_cents'] = report.answer.data['tax']![0]!['declared_revenue_cents'] = { kind: 'banded', from: 1, to: 2 }; }, 'receipt'],
    'the outcome of a verification': [(report) => { report.answer.verified[0]!.outcome = 'match'; }, 'receipt'],
    'what was withheld': [(report) => { report.answer.withheld.pop(); }, 'receipt'],
    'the enterprise': [(report) => { report.answer.subject = sampleSubject(1, sample.seed); }, 'receipt'],
    'the purpose': [(report) => { report.answer.purpose = 'post_loan_monitoring'; }, 'receipt'],
    'the sealed part': [(report) => { report.answer.sealed = report.answer.sealed!.replace(/.{8}$/, 'AAAAAAAA'); }, 'receipt'],
    'the content key': [(report) => { report.content_key = 'A'.repeat(43); }, 'values'],
    'no content key': [(report) => { report.content_key = null; }, 'values'],
    'what was claimed': [(report) => { report.request = report.request.replace(/\.[^.]+\./, `.${Buffer.from(JSON.stringify({ query: { verify: [{ field: 'tax.declared_revenue_cents', claimed: 1 }] } })).toString('base64url')}.`); }, 'receipt'],
    'the record': [(report) => { (report.entry.record as Record<string, unknown>)['at'] = '2020-01-01T00:00:00.000Z'; }, 'receipt'],
    'the entry': [(report) => { report.entry.index += 1; }, 'entry'],
    'the salt': [(report) => { report.entry.salt = 'A'.repeat(43); }, 'entry'],
    'the platform': [(report) => { report.platform = 'https://other.example'; }, 'receipt'],
    'the institution': [(report) => { report.institution = 'bank-b'; }, 'receipt'],
    'the receipt': [(report) => { report.receipt = report.receipt.replace(/.{4}$/, 'AAAA'); }, 'receipt'],
    'no purpose in words': [(report) => { report.words = { datasets: [] } as never; }, 'malformed'],
    'more than belongs there': [(report) => { Object.assign(report, { note: 'trust me' }); }, 'malformed'],
  };
  for (const [what, [change, fault]] of Object.entries(parts)) {
    it(`finds out whoever changes it, and a bank that signs it anew: ${what}`, async () => {
      const lied = await lie(change);
      await assert.rejects(check({ report: lied.report, signature: file.signature }), faulty(fault === 'malformed' ? 'malformed' : what === 'the institution' ? 'signature' : 'changed'));
      await assert.rejects(check(lied), faulty(fault));
    });
  }

  it('refuses another signer, another type of token, a doctored signature and words changed after signing', async () => {
    await assert.rejects(checkCreditReport(creditReportText(file), { keys, clock: systemClock, signer: (await platform.credentials('bank-b')).signing.publicJwk }), faulty('signer'));
    await assert.rejects(check(await signed(file.report, { typ: 'query+jwt' })), faulty('signature'));
    await assert.rejects(check({ ...file, signature: file.signature.replace(/.{4}$/, 'AAAA') }), faulty('signature'));
    await assert.rejects(check({ ...file, signature: 'nothing' }), faulty('signature'));
    const other = (await platform.credentials('bank-b')).signing.publicJwk;
    await assert.rejects(check({ ...file, report: { ...file.report, signer: other } }), faulty('signer'));
    await assert.rejects(check({ ...file, report: { ...file.report, grant: null } }), faulty('changed'));
  });

  it('refuses keys that are not the platform\'s, and a report from the future', async () => {
    await assert.rejects(checkCreditReport(creditReportText(file), { keys: { keys: [] }, clock: systemClock }), faulty('receipt'));
    await assert.rejects(checkCreditReport(creditReportText(file), { keys, clock: { nowMs: () => (Date.now() - 3_600_000) as never } }), faulty('signature'));
  });

  it('has one spelling', async () => {
    const text = creditReportText(file);
    for (const other of ['', '{}', 'null', '[]', text.trim(), ` ${text}`, JSON.stringify({ signature: file.signature, report: file.report }), text.replace('"signature"', '"signature":"x","signature"'), '<!doctype html>']) await assert.rejects(check(other), faulty('malformed'));
  });

  for (const language of ['en', 'zh'] as const) {
    it(`becomes a page that shows all of it, runs nothing and needs nothing else: ${language}`, async () => {
      const page = await creditReportPage(file, language);
      const visible = page.slice(0, page.indexOf('<template'));
      const tags = [...page.matchAll(/<\/?([a-z0-9]+)([^<>]*)>/gi)];
      assert.deepEqual([...new Set(tags.map(([, tag]) => tag))].filter((tag) => !/^(html|head|meta|title|style|body|main|h1|h2|dl|dt|dd|p|section|table|thead|tbody|tr|th|td|small|bdi|br|em|svg|path|code|template)$/.test(tag ?? '')), []);
      const attributes = tags.flatMap(([, , rest]) => [...(rest ?? '').matchAll(/([a-z-]+)="/gi)].map(([, name]) => name ?? ''));
      assert.deepEqual([...new Set(attributes)].filter((name) => !/^(lang|charset|http-equiv|content|name|class|scope|role|aria-label|viewBox|shape-rendering|fill|d|id)$/.test(name)), []);
      assert.doesNotMatch(page, /url\(|@import/);
      assert.ok(visible.includes('&#60;script&#62;alert(1)&#60;/script&#62;'));
      for (const text of [subject, file.report.answer.grant, file.report.answer.policy, '¥1,234,567.89', 'owner.identity_number', language === 'zh' ? '企业信用报告' : 'Credit report', language === 'zh' ? '企业未授权' : 'not consented to']) assert.ok(visible.includes(text), text);
      assert.ok(file.report.words.datasets.every(({ title }) => visible.includes(title[language])));
      assert.equal(fileInPage(page), creditReportText(file));
      assert.equal((await check(page)).receipt.log.index, saved.answer.entry.index);
      assert.equal(await creditReportPage(JSON.parse(creditReportText(file)) as CreditReportFile, language), page, 'the same file, the same page');
    });
  }

  it('finds out a page that shows something else than the report inside it', async () => {
    const page = await creditReportPage(file, 'en');
    for (const doctored of [page.replace('pre_loan_review)', 'in_loan_approval)'), page.replace('</main>', '<p>Approved</p></main>'), page.replace('<html lang="en">', '<html lang="zh-CN">'), page.replace(/¥[\d,.]+/, '¥9.00')]) {
      assert.notEqual(doctored, page);
      await assert.rejects(check(doctored), faulty('page'));
    }
    const inner = await lie((report) => { report.data['registry']![0]!['name'] = { kind: 'clear', value: 'Another Company' }; });
    await assert.rejects(check(await creditReportPage(inner, 'en')), faulty('values'));
  });

  it('shows nothing that hides or turns around its text', async () => {
    const page = await creditReportPage(await lie((report) => { report.data['registry']![0]!['name'] = { kind: 'clear', value: 'Reversed \u202e name\u0000\u200b' }; }), 'en');
    assert.doesNotMatch(page.slice(0, page.indexOf('<template')), /[\u202e\u0000\u200b]/);
  });

  it('is made by the institution the answer was given to, and by nobody else', async () => {
    await assert.rejects(makeCreditReport({ saved, credentials: await platform.credentials('bank-b'), catalogue: await bank.catalogue(), grant: null, clock: systemClock }), { code: 'DISCLOSURE_UNREADABLE' });
  });

  it('leaves no value in the platform\'s log', () => {
    assert.ok(!platform.logged().includes('alert(1)'));
  });

  it('prints as a PDF of A4 pages', async function () {
    this.timeout(60_000);
    const browser = await openChromium();
    if (browser === undefined) return this.skip();
    try {
      const page = await browser.newPage();
      await page.setContent(await creditReportPage(file, 'zh'));
      const pdf = (await page.pdf({ preferCSSPageSize: true })).toString('latin1');
      assert.match(pdf, /^%PDF-/);
      assert.match(pdf, /\/MediaBox \[0 0 59[45][.\d]* 84[12][.\d]*\]/);
    } finally {
      await browser.close();
    }
    return undefined;
  });
});
