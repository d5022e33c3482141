import { calculateJwkThumbprint } from 'jose';
import { html, type Html } from '../authorization/pages/html.ts';
import { qrCode } from '../authorization/pages/qr-code.ts';
import { dayMs, shanghaiDate, shanghaiOffsetMs } from '../calendar.ts';
import type { TimeMs } from '../vocabulary.ts';
import { answerDigest, sha256Hex, type OpenedValue, type Query } from './bank.ts';
import type { DatasetView, FieldView } from './catalogue.ts';
import { creditReportText, type CreditReport, type CreditReportFile } from './credit-report.ts';
import { reportTexts, type ReportLanguage, type ReportTexts } from './credit-report-texts.ts';
import { plainText, valueText } from './credit-report-values.ts';

/** Records side by side on an A4 page. */
const recordsAbreast = 4;

/**
 * The report as one page without script that needs nothing else, for A4. It holds the signed file, so that the page can be
 * checked too: the same file gives the same page, to the letter.
 */
export async function creditReportPage(file: CreditReportFile, language: ReportLanguage): Promise<string> {
  const t = reportTexts[language];
  const { report } = file;
  const proof = await proofSection(report, t);
  const page = html`<!doctype html>
<html lang="${language === 'zh' ? 'zh-CN' : 'en'}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width">
<title>${t.title} ${report.answer.subject}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${t.title}</h1>
${headText(report, t, language)}
<p class="limits">${t.limits}</p>
${report.words.datasets.map((dataset) => datasetSection(report, dataset, t, language))}
${unnamedDatasets(report).map((id) => datasetSection(report, { id, title: { en: id, zh: id }, department: '', rows: '', fields: [] }, t, language))}
${verifiedSection(report, t, language)}
${withheldSection(report, t, language)}
${proof}
</main>
<template id="credit-report">${creditReportText(file)}</template>
</body>
</html>
`;
  return page.toString();
}

/** The signed file inside a page; undefined when the text is no such page. */
export function fileInPage(page: string): string | undefined {
  const found = /<template id="credit-report">([^<]*)<\/template>/.exec(page)?.[1];
  return found?.replaceAll(/&#(\d{2,3});/g, (_, code: string) => String.fromCharCode(Number(code)));
}

export function languageOfPage(page: string): ReportLanguage {
  return page.includes('<html lang="zh-CN">') ? 'zh' : 'en';
}

function headText(report: CreditReport, t: ReportTexts, language: ReportLanguage): Html {
  const { answer, grant, words } = report;
  const answeredMs = Date.parse(String(report.entry.record['at'])) as TimeMs;
  const rows: readonly (readonly [string, string])[] = [
    [t.enterprise, answer.subject], [t.institution, report.institution], [t.platform, report.platform],
    [t.purpose, words.purpose === null ? answer.purpose : `${words.purpose.title[language]} (${answer.purpose})`],
    [t.answered, timeText(answeredMs)], [t.made, timeText(Date.parse(report.made_at) as TimeMs)],
    [t.grant, grant === null ? answer.grant : `${answer.grant}, ${t.grantUntil} ${timeText(Date.parse(grant.valid_until) as TimeMs)}`],
    ...(grant === null ? [] : [[t.period, `${grant.data_from ?? t.openEnd} – ${grant.data_to ?? t.openEnd}`], [t.deleteBy, shanghaiDate((answeredMs + grant.data_life_days * dayMs) as TimeMs)]] as const),
    [t.policy, answer.policy], [t.entry, String(report.entry.index)],
  ];
  return html`<dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${shown(value)}</dd>`)}</dl>`;
}

function datasetSection(report: CreditReport, dataset: DatasetView, t: ReportTexts, language: ReportLanguage): Html | undefined {
  const records = report.data[dataset.id];
  if (records === undefined) return undefined;
  const blocks = Array.from({ length: Math.ceil(records.length / recordsAbreast) }, (_, block) => block * recordsAbreast);
  return html`<section><h2>${shown(dataset.title[language])} <small>${shown(dataset.id)}</small></h2>
${records.length === 0 ? html`<p>${t.noRecords}</p>` : blocks.map((first) => recordsTable(report, dataset, first, t, language))}
</section>`;
}

/** Fields are lines, records are columns. */
function recordsTable(report: CreditReport, dataset: DatasetView, first: number, t: ReportTexts, language: ReportLanguage): Html {
  const all = report.data[dataset.id] ?? [];
  const records = all.slice(first, first + recordsAbreast);
  const names = inOrder(records.flatMap((record) => Object.keys(record)), dataset);
  const lines = names.map((name) => {
    const ref = `${dataset.id}.${name}`;
    const field = dataset.fields.find((each) => each.field === ref);
    const values = records.map((record) => record[name]);
    return html`<tr><th scope="row">${shown(field?.title[language] ?? name)} <small>${shown(ref)}</small>${report.answer.disputed?.includes(ref) === true && html`<br><em>${t.disputed}</em>`}</th>
<td class="form">${formOf(values, t)}</td>${values.map((value) => html`<td>${value === undefined ? '' : shown(valueText(value, field, t))}</td>`)}</tr>
`;
  });
  return html`<table><thead><tr><th scope="col">${t.field}</th><th scope="col">${t.how}</th>${records.map((_, at) => html`<th scope="col">${t.record(first + at + 1)}</th>`)}</tr></thead>
<tbody>${lines}</tbody></table>`;
}

/** Each field once, as the catalogue orders them; what it does not name comes last. */
function inOrder(names: readonly string[], { id, fields }: DatasetView): readonly string[] {
  const given = new Set(names);
  const known = fields.map(({ field }) => field.slice(id.length + 1)).filter((name) => given.delete(name));
  return [...known, ...[...given].toSorted()];
}

function formOf(values: readonly (OpenedValue | undefined)[], t: ReportTexts): string {
  const kinds = new Set(values.flatMap((value) => (value === undefined || value.kind === 'absent' ? [] : [value.kind])));
  return kinds.size === 0 ? t.kinds.absent : [...kinds].map((kind) => t.kinds[kind]).join(', ');
}

function verifiedSection({ answer, request, words }: CreditReport, t: ReportTexts, language: ReportLanguage): Html | undefined {
  if (answer.verified.length === 0) return undefined;
  const claims = new Map(claimsOf(request).map(({ field, claimed }) => [field, claimed]));
  return html`<section><h2>${t.verified}</h2><table><thead><tr><th scope="col">${t.field}</th><th scope="col">${t.claimed}</th><th scope="col">${t.outcome}</th></tr></thead>
<tbody>${answer.verified.map(({ field, outcome }) => {
    const known = fieldOf(words.datasets, field);
    return html`<tr><th scope="row">${fieldName(known, field, language)}</th><td>${shown(plainText(claims.get(field) ?? null, known, t))}</td><td>${t.outcomes[outcome] ?? shown(outcome)}</td></tr>
`;
  })}</tbody></table></section>`;
}

function withheldSection({ answer, words }: CreditReport, t: ReportTexts, language: ReportLanguage): Html | undefined {
  if (answer.withheld.length === 0) return undefined;
  return html`<section><h2>${t.withheld}</h2><table><thead><tr><th scope="col">${t.field}</th><th scope="col">${t.use}</th><th scope="col">${t.reason}</th><th scope="col">${t.rule}</th></tr></thead>
<tbody>${answer.withheld.map(({ field, use, reason, rule }) => html`<tr><th scope="row">${fieldName(fieldOf(words.datasets, field), field, language)}</th><td>${t.uses[use] ?? shown(use)}</td><td>${t.reasons[reason] ?? shown(reason)}</td><td>${rule === null ? t.byDefault : shown(rule)}</td></tr>
`)}</tbody></table></section>`;
}

async function proofSection({ receipt, request: asked, answer: given, entry, signer: key }: CreditReport, t: ReportTexts): Promise<Html> {
  const [request, answer, signer] = await Promise.all([sha256Hex(asked), answerDigest({ ...given, entry, receipt }), calculateJwkThumbprint(key)]);
  return html`<section class="proof"><h2>${t.proof}</h2>
<p>${t.proofLead}</p>
${qrCode(receipt, t.receipt, 'L')}
<dl><dt>${t.request}</dt><dd><code>${request}</code></dd><dt>${t.answer}</dt><dd><code>${answer}</code></dd><dt>${t.signer}</dt><dd><code>${signer}</code></dd></dl>
</section>`;
}

/** What the bank claimed, from the query it signed. The receipt holds the query's digest, so this is what was asked. */
function claimsOf(request: string): NonNullable<Query['verify']> {
  const payload = (request.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
  const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
  return (JSON.parse(new TextDecoder().decode(bytes)) as { readonly query: Query }).query.verify ?? [];
}

function unnamedDatasets({ data, words }: CreditReport): readonly string[] {
  return Object.keys(data).filter((id) => !words.datasets.some((dataset) => dataset.id === id)).toSorted();
}

function fieldOf(datasets: readonly DatasetView[], ref: string): FieldView | undefined {
  return datasets.flatMap(({ fields }) => fields).find(({ field }) => field === ref);
}

function fieldName(field: FieldView | undefined, ref: string, language: ReportLanguage): Html {
  return html`${shown(field?.title[language] ?? ref)} <small>${shown(ref)}</small>`;
}

/** What came from elsewhere: no character of it can hide or turn around what stands beside it. */
function shown(text: string): Html {
  return html`<bdi>${text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd')}</bdi>`;
}

/** In Asia/Shanghai, to the second. */
function timeText(atMs: TimeMs): string {
  return Number.isFinite(atMs) ? `${new Date(atMs + shanghaiOffsetMs).toISOString().slice(0, 19).replace('T', ' ')} UTC+8` : '';
}

const style = html`@page { size: A4; margin: 15mm; }
* { box-sizing: border-box; }
body { margin: 0; color: #111; background: #fff; font: 10.5pt/1.45 system-ui, Noto Sans SC, PingFang SC, Microsoft YaHei, sans-serif; }
main { max-width: 180mm; margin: 0 auto; padding: 8mm 0; }
h1 { font-size: 18pt; margin: 0 0 4mm; }
h2 { font-size: 12.5pt; margin: 7mm 0 2mm; break-after: avoid; }
small { color: #555; font-weight: normal; font-size: 8.5pt; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: 42mm 1fr; gap: 0.6mm 4mm; margin: 0 0 3mm; }
dt { color: #555; }
dd { margin: 0; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; margin: 0 0 3mm; }
th, td { border-bottom: 0.2mm solid #999; padding: 1mm 1.5mm; text-align: start; vertical-align: top; font-weight: normal; overflow-wrap: anywhere; }
.form { overflow-wrap: normal; }
thead th { font-weight: 600; border-bottom-width: 0.4mm; }
tr { break-inside: avoid; }
em { color: #8a1c00; font-style: normal; font-size: 9pt; }
.limits { border: 0.3mm solid #111; padding: 2mm 3mm; }
.proof { break-inside: avoid; }
.qr { width: 70mm; height: 70mm; display: block; margin: 2mm 0; }
@media print { main { max-width: none; padding: 0; } }`;
