import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { encodeColumnValue } from '../../src/joint/project/encoding.ts';
import type { ColumnEncoding } from '../../src/joint/project/document.ts';
import { connect, type Connection } from '../../src/sdk/connection.ts';
import { enterpriseClient } from '../../src/sdk/enterprise.ts';
import { jointClient, type JointProjectJson } from '../../src/sdk/joint.ts';
import { openAnswer, tablesOf } from '../../src/sdk/joint-answers.ts';
import { askAndFetch, bundleSpec, columnByPosition, fixColumn, holdLottery, jointRunClient, newSeeds, uploadBundle, type JointRunView, type JointSeeds, type Statement } from '../../src/sdk/joint-run.ts';
import { buildScorecard } from '../../src/sdk/joint-scorecard.ts';
import { officerClient } from '../../src/sdk/officer.ts';
import type { SubjectId, Value } from '../../src/vocabulary.ts';
import { sampleRows } from '../sample/generate.ts';
import { sampleSubject } from '../sample/subjects.ts';
import type { Stage } from './stage.ts';
import { bankId, sample } from './story.ts';
import { refusal, type Say, type Transcript } from './transcript.ts';

const purpose = 'joint_modelling';
/** Enterprises of the sample that consent to joint modelling, and those of them that are the bank's customers. */
const consenting = Array.from({ length: 130 }, (_, at) => at + 20);
const isCustomer = (n: number) => n % 8 !== 3;
/** Enterprises that sign at the same time. */
const atOnce = 16;
/** A customer that consents to nothing: the bank does not learn why it is not in the cohort. */
const withoutConsent = 12;

const columns: readonly { readonly name: string; readonly source: string; readonly encoding: ColumnEncoding }[] = [
  { name: 'debt_ratio', source: 'financials.debt_ratio', encoding: { kind: 'bins', edges: [0.08, 0.13] } },
  { name: 'tax_rating', source: 'tax.credit_rating', encoding: { kind: 'bins', codes: ['A', 'B', 'C'] } },
  { name: 'employees', source: 'social_insurance.insured_employees', encoding: { kind: 'bins', edges: [50, 200] } },
];

type Play = { readonly stage: Stage; readonly bank: Connection; readonly enterprises: Map<number, ReturnType<typeof enterpriseClient>>; readonly twins: readonly Twin[] };
/** What an enterprise's records come to, by column, and what its bank knows of it. */
type Twin = { readonly subject: SubjectId; readonly bins: readonly number[]; readonly bad: number; readonly own: number };
type Ready = { readonly document: JointProjectJson; readonly run: JointRunView; readonly seeds: JointSeeds; readonly positions: readonly (number | undefined)[]; readonly customers: readonly number[] };

/** For whoever looks at it: the report's file. */
export type JointScene = { readonly report: string };

/** Joint modelling, from consent to a scorecard over columns the bank never sees; records and bank are those of the story before. */
export async function playJoint(stage: Stage, { act }: Transcript): Promise<JointScene> {
  const play: Play = { stage, enterprises: new Map(), twins: twinsOfSample(), bank: await connect({ gateway: stage.gateway.gatewayUrl, credentials: await stage.open(bankId), scope: 'query' }) };
  await act(`${consenting.length} enterprises consent that statistics over many of them are worked out encrypted`, (say) => consent(play, say));
  const project = await act('The bank proposes a joint-modelling project; two officers approve what they reviewed', (say) => approveProject(play, say));
  const aligned = await act('Bank and platform find out which customers they share, and neither shows its list', (say) => align(play, project, say));
  const ready = await act('The bank commits to eight bundles, one is drawn, and it opens the other seven', (say) => drawLottery(play, project, aligned, say));
  await act('The bank asks: its bins travel encrypted, noisy sums come back', (say) => ask(play, ready, say));
  const report = await act('A scorecard is made from noisy tables alone', (say) => makeScorecard(play, ready, say));
  await act('An enterprise withdraws: its cohort answers nothing more', (say) => withdraw(play, ready, say));
  return { report };
}

function twinsOfSample(): Twin[] {
  const latest = columns.map(({ source }) => {
    const [dataset = '', field = ''] = source.split('.');
    const values = new Map<string, Value | undefined>();
    for (const row of sampleRows(dataset, { ...sample, periods: 1 })) values.set(String(row['subject']), row[field]);
    return values;
  });
  return Array.from({ length: sample.enterprises }, (_, n): Twin => {
    const subject = sampleSubject(n, sample.seed);
    const bins = columns.map(({ encoding }, at) => encodeColumnValue(encoding, latest[at]?.get(subject)));
    const own = (n * 7) % 3;
    const risk = 1 + (bins[0] ?? 0) + (bins[1] === 2 ? 3 : 0) + own;
    return { subject, bins, own, bad: (n * 37) % 10 < risk ? 1 : 0 };
  });
}

async function asOfficer({ stage }: Play, id: string, scope: string): Promise<Connection> {
  return connect({ gateway: stage.gateway.gatewayUrl, credentials: await stage.open(id), scope });
}

async function consent(play: Play, say: Say): Promise<void> {
  const { stage, enterprises, twins } = play;
  const registrar = officerClient(await asOfficer(play, 'officer-registrar', 'registry'));
  const fields = columns.map(({ source }) => ({ field: source, ceiling: 'desensitised' as const }));
  const grant = async (n: number) => {
    const credentials = await stage.credentials(`joint-enterprise-${n}`);
    const subject = (twins[n] as Twin).subject;
    const { party } = await registrar.registerEnterprise(subject, '李娜', credentials.signing.publicJwk);
    const enterprise = enterpriseClient(await connect({ gateway: stage.gateway.gatewayUrl, credentials: { ...credentials, party }, scope: 'grants' }));
    await enterprise.grant(bankId, { subject, purpose, fields, valid_days: 60, uses_max: 100, data_life_days: 60, kind: 'periodic' } as Parameters<typeof enterprise.grant>[1]);
    enterprises.set(n, enterprise);
  };
  for (let from = 0; from < consenting.length; from += atOnce) await Promise.all(consenting.slice(from, from + atOnce).map(grant));
  say.expect(`each signed a grant of its own for ${fields.length} fields, for ${purpose} and nothing else`, enterprises.size === consenting.length);
}

async function approveProject(play: Play, say: Say): Promise<{ readonly id: string; readonly document: JointProjectJson }> {
  const document: JointProjectJson = {
    title: { en: 'Default of small enterprises', zh: '小微企业违约' }, partner: bankId, purpose, datasets: ['financials', 'tax', 'social_insurance'], columns,
    partner_columns: [{ name: 'default', bins: 3 }, { name: 'own_rating', bins: 4 }], budget: { epsilon: 4, delta: 0.000001 }, bundles: 8, cohort_min: 100,
    ends_on: new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10),
  };
  const { id, digest } = await jointClient(play.bank).propose(document);
  say(`${columns.length} columns of the platform in bins, 2 of the bank, budget ε = ${document.budget.epsilon} at δ = ${document.budget.delta}, ${document.cohort_min} enterprises at least`);
  const [first, second] = [jointClient(await asOfficer(play, 'officer-security', 'compliance')), jointClient(await asOfficer(play, 'officer-models', 'compliance'))];
  const alone = await first.approve(id, digest);
  const twice = await refusal(() => first.approve(id, digest));
  say.expect(`one approval is not enough, and nobody approves twice (${twice?.code})`, alone.state === 'proposed' && twice !== undefined);
  const approved = await second.approve(id, digest);
  say.expect(`two officers approved digest ${digest.slice(0, 16)}…: the document never changes`, approved.state === 'approved');
  return { id, document };
}

async function align(play: Play, { id }: { readonly id: string }, say: Say) {
  const joint = jointClient(play.bank);
  const cohort = await joint.formCohort(id);
  say(`cohort ${cohort.id}: ${cohort.size} enterprises in a random order, digest ${cohort.digest.slice(0, 16)}… in the log`);
  const customers = [withoutConsent, ...consenting.filter(isCustomer)];
  const positions = await joint.align(cohort.id, customers.map((n) => (play.twins[n] as Twin).subject));
  const found = positions.filter((position) => position !== undefined).length;
  say(`on the way: points of ristretto255 under a secret that lives for this run; the platform learnt that the list has ${customers.length} codes, and nothing else`);
  say.expect(`${found} of the bank's ${customers.length} customers stand in it; of the other one it learns nothing, not even why`, cohort.size === consenting.length && found === customers.length - 1 && positions[0] === undefined);
  return { cohort, customers, positions };
}

async function drawLottery(play: Play, { id, document }: { readonly id: string; readonly document: JointProjectJson }, { cohort, customers, positions }: Awaited<ReturnType<typeof align>>, say: Say): Promise<Ready> {
  const runs = jointRunClient(play.bank);
  const seeds = newSeeds(id, cohort.id, document.bundles);
  const spec = bundleSpec(seeds, cohort.size, document);
  const judged = await holdLottery(runs, spec, seeds, { pollMs: 50 });
  say.expect(`bundle ${judged.drawn} was drawn, the platform made the other ${judged.bundles - 1} again and found them honest; a bundle that reads more than sums would not have opened`, judged.state === 'honest');
  const run = await uploadBundle(runs, spec, seeds, judged.run, { pollMs: 50 });
  const twin = (at: number) => play.twins[customers[at] as number] as Twin;
  await fixColumn(runs, spec, seeds, run, 'default', columnByPosition(run.rows, positions, positions.map((_, at) => twin(at).bad), 2));
  await fixColumn(runs, spec, seeds, run, 'own_rating', columnByPosition(run.rows, positions, positions.map((_, at) => twin(at).own), 3));
  say.expect(`the drawn one is there, ${((run.pads.total * run.pads.bytes) / 1e6).toFixed(1)} MB; the bank's two columns are fixed as one-time padded bytes`, run.state === 'ready');
  return { document, run, seeds, positions, customers };
}

async function ask(play: Play, { document, run, seeds, positions, customers }: Ready, say: Say): Promise<void> {
  const runs = jointRunClient(play.bank);
  const statement: Statement = { kind: 'woe', columns: ['tax_rating'], partner: 'default' };
  const explained = await runs.explain(run.run, statement, { share: 0.1 });
  say(`explained first: noise σ ${explained.groups[0]?.sigma.toFixed(1)}, ${(explained.bytes / 1024).toFixed(0)} KiB, ε of the project ${explained.epsilon_before} → ${explained.epsilon_after.toFixed(2)}`);
  const { release, results } = await askAndFetch(runs, run.run, statement, { share: 0.1 }, 50);
  say(`on the way back: ${results.length} ciphertexts, the first ${Buffer.from(results[0] ?? []).toString('hex', 0, 16)}…`);
  const opened = tablesOf(await openAnswer(document, run, seeds, release, results)).get('tax_rating');
  const clear = [0, 1, 2, 3].map((bin) => [0, 1].map((bad) => customers.filter((n, at) => positions[at] !== undefined && play.twins[n]?.bins[1] === bin && play.twins[n]?.bad === bad).length));
  const noisy = clear.map((_, bin) => [0, 1].map((bad) => opened?.table.counts[bin * 3 + bad] ?? NaN));
  ['A', 'B', 'C', 'other'].forEach((rating, bin) => say(`tax rating ${rating.padEnd(5)}  good ${String(noisy[bin]?.[0]).padStart(4)}  bad ${String(noisy[bin]?.[1]).padStart(4)}   (in clear, for this demo only: ${clear[bin]?.join(' and ')})`));
  const sigma = Math.sqrt(opened?.variance ?? NaN);
  say.expect('each is what the clear data say, within the noise', noisy.every((row, bin) => row.every((count, bad) => Math.abs(count - (clear[bin]?.[bad] ?? NaN)) <= 7 * sigma)));
  const before = await jointClient(play.bank).balances(run.project);
  const again = await askAndFetch(runs, run.run, statement, { share: 0.1 }, 50);
  const after = await jointClient(play.bank).balances(run.project);
  say.expect('asked again, the answer is the same, noise and all, and costs nothing: asking ten thousand times averages nothing', JSON.stringify(before) === JSON.stringify(after) && again.results.every((each, at) => Buffer.compare(each, results[at] as Uint8Array) === 0));
}

async function makeScorecard(play: Play, { document, run, seeds, positions, customers }: Ready, say: Say): Promise<string> {
  const column = (of: (twin: Twin) => number, absent: number) => columnByPosition(run.rows, positions, customers.map((n) => of(play.twins[n] as Twin)), absent);
  const built = await buildScorecard(jointRunClient(play.bank), {
    document, run, seeds, share: 0.85, pollMs: 50, label: { name: 'default', bins: column(({ bad }) => bad, 2) }, own: [{ name: 'own_rating', bins: column(({ own }) => own, 3) }],
  });
  for (const { name, side, iv, iv_margin: margin, bins } of built.document.features) say(`${name.padEnd(11)} ${side.padEnd(9)} information value ${iv.toFixed(2)} ± ${margin.toFixed(2)}   points ${bins.map(({ label, points }) => `${label}: ${points}`).join(', ')}`);
  const report = path.join(play.stage.folder, 'scorecard.html');
  writeFileSync(report, built.report([{ name: 'Partner', value: bankId }, { name: 'Project', value: run.project }]));
  writeFileSync(path.join(play.stage.folder, 'scorecard.json'), JSON.stringify(built.document, null, 2));
  const { accounts } = await jointClient(play.bank).balances(run.project);
  const spent = accounts.find(({ account }) => account.startsWith('project/'))?.spent_epsilon ?? NaN;
  say(`${run.rows} enterprises are few: the margins say how far to trust it. What more enterprises give is in docs/performance.md.`);
  say.expect(`${built.releases.length} releases made a scorecard of ${built.card.features.length} features; all releases of the project together tell at most ε = ${spent.toFixed(2)}`, spent <= document.budget.epsilon && built.card.features.length === 4);
  say(`report: ${report}`);
  return report;
}

async function withdraw(play: Play, { run }: Ready, say: Say): Promise<void> {
  const enterprise = play.enterprises.get(consenting[5] as number);
  const grant = (await enterprise?.grants())?.grants[0];
  await enterprise?.revoke(grant?.id ?? '');
  const refused = await refusal(() => askAndFetch(jointRunClient(play.bank), run.run, { kind: 'histogram', column: 'employees' }, { rho: 0.001 }, 50));
  say.expect(`a new question fails and costs nothing (${String(refused?.detail?.['reason'])})`, refused?.detail?.['reason'] === 'COHORT_STALE');
  const differing = await refusal(() => jointClient(play.bank).formCohort(run.project));
  say.expect(`a cohort without just that enterprise is refused (${differing?.code}, ${differing?.detail?.rule}): the difference would be its data`, differing?.detail?.rule === 'cohort_difference');
}
