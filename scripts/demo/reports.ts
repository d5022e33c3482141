import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { JSONWebKeySet } from 'jose';
import { shanghaiDate } from '../../src/calendar.ts';
import { systemClock } from '../../src/clock.ts';
import { answerFormat, type AnswerFile } from '../../src/sdk/answer-file.ts';
import { platformKeys, type BankClient, type GrantedConsent } from '../../src/sdk/bank.ts';
import { connect } from '../../src/sdk/connection.ts';
import { checkCreditReport } from '../../src/sdk/credit-report-check.ts';
import { creditReportPage } from '../../src/sdk/credit-report-page.ts';
import { creditReportText, makeCreditReport, type CreditReportFile } from '../../src/sdk/credit-report.ts';
import { reportsClient } from '../../src/sdk/reports.ts';
import type { Stage } from './stage.ts';
import { refusal, type Say } from './transcript.ts';

export type ReportScene = { readonly stage: Stage; readonly bank: BankClient; readonly bankId: string; readonly consent: GrantedConsent; readonly subject: string };

/** The bank makes a report of one answer; somebody who trusts only the platform's keys checks it, and what was doctored. */
export async function makeReport({ stage, bank, bankId, consent, subject }: ReportScene, say: Say): Promise<void> {
  const { gatewayUrl } = stage.gateway;
  const keys = (await platformKeys(gatewayUrl)) as JSONWebKeySet;
  const exchange = await bank.exchange({ subject, purpose: 'pre_loan_review', read: ['registry.name', 'registry.established_on', 'tax.period', 'tax.declared_revenue_cents', 'owner.name', 'owner.identity_number'], rows: { tax: { limit: 4 } } }, consent.accessToken);
  const saved: AnswerFile = { format: answerFormat, gateway: gatewayUrl, institution: bankId, keys, ...exchange };
  const file = await makeCreditReport({ saved, credentials: await stage.open(bankId), catalogue: await bank.catalogue(), grant: await bank.readGrant(exchange.answer.grant), clock: systemClock });
  const page = await creditReportPage(file, 'zh');
  writeFileSync(path.join(stage.folder, 'credit-report.json'), creditReportText(file), { mode: 0o600 });
  writeFileSync(path.join(stage.folder, 'credit-report.html'), page, { mode: 0o600 });
  say(`written: ${stage.folder}/credit-report.html and .json, to print and to check`);
  const check = (text: string) => checkCreditReport(text, { keys, clock: systemClock });
  const checked = await check(page);
  say.expect(`whoever knows the platform's keys opens every value and finds it proven, down to log entry ${checked.receipt.log.index}`, checked.file.report.data['registry']?.[0]?.['name']?.kind === 'clear');
  const doctored: CreditReportFile = { ...file, report: { ...file.report, data: { ...file.report.data, registry: [{ name: { kind: 'clear', value: 'Another Company' } }] } } };
  const [changed, repainted] = [await refusal(() => check(creditReportText(doctored))), await refusal(() => check(page.replace('</main>', '<p>Approved</p></main>')))];
  say.expect(`a changed value and a repainted page are found out: ${changed?.detail?.['fault']}, ${repainted?.detail?.['fault']}`, changed?.code === 'REPORT_INVALID' && repainted?.code === 'REPORT_INVALID');
}

/** Auditor and compliance officer look at what happened so far. */
export async function lookAtReports({ stage, bankId, subject }: Pick<ReportScene, 'stage' | 'bankId' | 'subject'>, say: Say): Promise<void> {
  const open = async (party: string, scope: string) => reportsClient(await connect({ gateway: stage.gateway.gatewayUrl, credentials: await stage.open(party), scope }));
  const refused = await (await open('officer-auditor', 'audit')).entries({ institution: bankId, outcome: 'refused' });
  for (const { index, code, purpose, subject: pseudonym } of refused.entries.slice(0, 3)) say(`entry ${index}: ${code}, ${purpose ?? ''}, enterprise ${(pseudonym ?? '').slice(0, 12)}…`);
  say.expect(`the auditor finds the ${refused.entries.length} refusals by what they are about, enterprises by pseudonym`, refused.entries.length > 0 && !JSON.stringify(refused).includes(subject));
  const officer = await open('officer-security', 'compliance');
  const { report } = await officer.workReport(shanghaiDate(systemClock.nowMs()).slice(0, 7));
  for (const { institution, purpose, kind, released, refused: no, verifications } of report.answers) say(`${institution} ${purpose} ${kind}: ${released} released, ${no} refused, ${verifications} verifications`);
  const { activity } = await officer.institutionReport(bankId);
  say.expect(`the month's report counts it, and what stands out of the bank is said: ${activity.unusual.map(({ sign }) => sign).join(', ')}`, report.answers.some(({ released }) => released > 0) && activity.unusual.some(({ sign }) => sign === 'guessed_values'));
}
