import { strict as assert } from 'node:assert';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import type { BankClient } from '../../src/sdk/bank.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { consentInBrowser, startTestPlatform, type TestPlatform } from '../support/gateway.ts';
import { loadSampleRecords } from '../support/sample-records.ts';

const sample = { enterprises: 5, seed: 3 };
const subject = sampleSubject(0, sample.seed);
const terms = {
  purpose: 'pre_loan_review', valid_days: 30, uses_max: 10, data_life_days: 30, kind: 'periodic',
  fields: [{ field: 'registry.name', ceiling: 'original' }, { field: 'tax.declared_revenue_cents', ceiling: 'desensitised' }],
} as const;

describe('flow: an authorised query', () => {
  let platform: TestPlatform;
  let bank: BankClient;

  before(async function () {
    this.timeout(60_000);
    platform = await startTestPlatform();
    await loadSampleRecords(platform, ['registry', 'tax'], sample);
    bank = await platform.bank('bank-a');
  });
  after(() => platform.close());

  it('answers masked, sealed and withheld fields in one answer, under a consent given in the browser', async () => {
    const browser = await platform.representative(subject, 'wang.fang');
    const consent = await consentInBrowser(bank, browser, { subject, ...terms });
    const answer = await bank.query({ subject, purpose: terms.purpose, read: ['registry.name', 'tax.declared_revenue_cents', 'owner.name'], rows: { tax: { limit: 1 } } }, consent.accessToken);
    assert.equal(answer.grant, consent.grant);
    assert.equal(answer.data['registry']?.[0]?.['name']?.kind, 'clear');
    assert.equal(answer.data['tax']?.[0]?.['declared_revenue_cents']?.kind, 'banded');
    assert.deepEqual(answer.withheld.map(({ field, reason }) => [field, reason]), [['owner.name', 'not_consented']]);
  });

  it('holds an institution to the requests a second its approval set', async () => {
    const modest = await platform.bank('bank-modest', { limits: { requests_per_second: 2 } });
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => modest.catalogue()));
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    assert.ok(refused.length >= 4 && refused.length < 8, `${refused.length} of 8 refused`);
    for (const reason of refused) assert.ok(isVeilgateError(reason, 'REQUEST_RATE_LIMITED'));
  });

  it('answers under a grant the enterprise signed with its own key', async () => {
    const other = sampleSubject(1, sample.seed);
    const enterprise = await platform.enterprise(other);
    const grant = await enterprise.grant('bank-a', { subject: other, ...terms });
    const answer = await bank.query({ subject: other, purpose: terms.purpose, read: ['registry.name'] });
    assert.equal(answer.grant, grant.id);
    await enterprise.revoke(grant.id);
    await assert.rejects(bank.query({ subject: other, purpose: terms.purpose, read: ['registry.name'] }), (error) => isVeilgateError(error, 'CONSENT_REVOKED'));
  });
});
