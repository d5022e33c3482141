import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { verifyReceipt } from '../../src/audit/receipt.ts';
import { systemClock } from '../../src/clock.ts';
import { admitBank } from '../../src/custodian/banks.ts';
import { modelFromJson, type ModelJson } from '../../src/scoring/model/document.ts';
import type { ModelFinding } from '../../src/scoring/model/verdict.ts';
import type { Feature, Model } from '../../src/scoring/protocol.ts';
import { platformKeys, sha256Hex } from '../../src/sdk/bank.ts';
import { connect, type Connection } from '../../src/sdk/connection.ts';
import { enterpriseClient } from '../../src/sdk/enterprise.ts';
import { publicKeys } from '../../src/sdk/keys.ts';
import { featuresClient } from '../../src/sdk/features.ts';
import { modelsClient } from '../../src/sdk/models.ts';
import { officerClient } from '../../src/sdk/officer.ts';
import { askedSubjects, digestList, openScoreJobPart, scoreJobsClient, type Unscored } from '../../src/sdk/score-jobs.ts';
import { scoreDigest, scoresClient } from '../../src/sdk/scores.ts';
import { openDatabase } from '../../src/store/database.ts';
import type { InstitutionId, SubjectId } from '../../src/vocabulary.ts';
import { sampleSubject } from '../sample/subjects.ts';
import { clearScores, encryptDataset } from './scoring-data.ts';
import type { Stage } from './stage.ts';
import { bankId, sample } from './story.ts';
import { refusal, type Say, type Transcript } from './transcript.ts';

const purpose = 'pre_loan_review';
const modelFile = path.join(import.meta.dirname, '../../sample/models/sme_scorecard-1.json');
/** Departments of the datasets the scorecard's features come from. */
const encrypting = { registry: 'market_regulation', tax: 'tax_administration', social_insurance: 'human_resources', financials: 'finance_bureau', utility: 'public_utilities' } as const;
/** Enterprises that grant scores: the second to the ninth of the sample. */
const granting = [1, 2, 3, 4, 5, 6, 7, 8] as const;
/** Two have not granted, and one does not exist. */
const listed = [...granting, 9, 10, 9_999_999];
/** The one that revokes before the list is scored. */
const revoking = 8;

/** For whoever goes on by hand: an enterprise that may be scored, the model, a list. */
export type ScoringScene = { readonly subject: string; readonly model: string; readonly list: string };
type Play = { readonly stage: Stage; readonly model: Model; readonly features: Feature[]; readonly bank: Connection };
type Enterprise = ReturnType<typeof enterpriseClient>;
type Scored = { readonly subject: string; readonly raw: number; readonly ticket: string; readonly entry: number };

/** Sealed scoring, from a platform that has records to opened scores; the departments' records and the bank are those of the story before. */
export async function playScoring(stage: Stage, { act }: Transcript): Promise<ScoringScene> {
  const { $schema: _schema, ...document } = JSON.parse(readFileSync(modelFile, 'utf8')) as ModelJson & { readonly $schema?: string };
  const bank = await connect({ gateway: stage.gateway.gatewayUrl, credentials: await stage.open(bankId), scope: 'query' });
  const play: Play = { stage, model: modelFromJson(document), features: [], bank };
  const thumbprint = await act('A key custodian, another organisation, makes the key that features are encrypted under', (say) => meetCustodian(play, say));
  await act('Departments encrypt the features of their enterprises', (say) => encryptFeatures(play, thumbprint, say));
  await act('A scoring model is proposed, looked at and approved', (say) => approveModel(play, document, say));
  const enterprises = await act('Eight enterprises grant that scores are made of their data, and nothing else', (say) => grantScores(play, say));
  const one = await act('The bank has one enterprise scored, and opens the score with its own key', (say) => scoreOne(play, say));
  await act('The bank has a list scored', (say) => scoreMany(play, enterprises, say));
  await act('What the custodian\'s log says beside the gateway\'s', (say) => compareLogs(play, one, say));
  await act('Who saw what', async (say) => whoSawWhat(say));
  const list = path.join(stage.folder, 'list.csv');
  writeFileSync(list, `subject\n${listed.map(subjectOf).join('\n')}\n`);
  return { subject: one.subject, model: play.model.ref, list };
}

const subjectOf = (n: number): SubjectId => sampleSubject(n, sample.seed);

async function asOfficer(stage: Stage, id: string, scope: string): Promise<Connection> {
  return connect({ gateway: stage.gateway.gatewayUrl, credentials: await stage.open(id), scope });
}

async function meetCustodian({ stage, bank }: Play, say: Say): Promise<string> {
  const { custodian } = stage;
  say(`custodian ${custodian.id} at ${custodian.url}: a process, a keys folder, a database and a log of its own`);
  const officer = await asOfficer(stage, 'officer-security', 'compliance');
  await officer.call({ method: 'POST', path: '/v1/score-keys' });
  const [key] = await featuresClient(officer).keys();
  if (key === undefined) throw new Error('the custodian stated no key');
  say(`its public key ${key.key}, SHA-256 ${key.thumbprint.slice(0, 16)}…, is what departments encrypt under`);
  const database = openDatabase({ url: custodian.databaseUrl, maxConnections: 1 });
  await admitBank(database, systemClock, bankId, { keys: publicKeys(bank.credentials) });
  await database.close();
  say('its operator enters the bank\'s keys, brought by the bank itself: the gateway\'s word for them does not count');
  say.expect('the custodian\'s key is in force', key.state === 'active');
  return key.thumbprint;
}

async function encryptFeatures({ stage, features }: Play, thumbprint: string, say: Say): Promise<void> {
  let values = 0;
  for (const [dataset, department] of Object.entries(encrypting)) {
    const connection = await connect({ gateway: stage.gateway.gatewayUrl, credentials: await stage.open(department), scope: 'records' });
    const done = await encryptDataset(connection, dataset, thumbprint, sample);
    features.push(...done.features);
    values += done.values;
    say(`${department.padEnd(24)} ${dataset.padEnd(17)} ${String(done.columns).padStart(3)} columns, ${done.values} values; ${done.example.feature}: ${done.example.value} → ${done.example.integer} → ${done.example.ciphertext}…`);
  }
  const database = openDatabase({ url: stage.databaseUrl, maxConnections: 1 });
  const { rows: [stored] } = await database.query<{ columns: number; bytes: number; different: number }>('select count(*)::integer as columns, sum(length(packed))::bigint as bytes, count(distinct digest)::integer as different from score_column');
  await database.close();
  say.expect(`the platform holds ${stored?.columns} columns, ${((stored?.bytes ?? 0) / 1e6).toFixed(1)} MB of ciphertext, no two alike, and no key to them`, stored?.columns === features.length && stored.different === features.length && values > 1000);
}

async function approveModel({ stage, model }: Play, document: ModelJson, say: Say): Promise<void> {
  const proposer = modelsClient(await asOfficer(stage, 'officer-models', 'compliance'));
  const other = modelsClient(await asOfficer(stage, 'officer-security', 'compliance'));
  const spying = { ...document, ref: 'spying@1', terms: document.terms.map((term) => (term.feature === 'financials/persistent_eps' ? { ...term, weight: 500 } : term)) };
  const refused = await refusal(() => proposer.propose(spying));
  const findings = (refused?.detail?.['findings'] ?? []) as readonly ModelFinding[];
  const dominant = findings.find(({ rule }) => rule === 'dominant_share');
  say(`${refused?.code}: ${dominant?.problem}`);
  say.expect('a model out of which one could work out a single value is refused, with the rule and the feature', refused?.code === 'MODEL_REFUSED' && dominant?.feature === 'financials/persistent_eps');
  const { digest } = await proposer.propose(document);
  const same = await refusal(() => proposer.approve(model.ref, digest));
  say.expect('who proposed cannot approve (MODEL_SAME_PERSON)', same?.code === 'MODEL_SAME_PERSON');
  const trial = await other.try(model.ref, { count: 1000, seed: 1 });
  say(`another officer tries it on ${trial.count} made-up enterprises before deciding`);
  const approved = await other.approve(model.ref, digest);
  say.expect(`${model.ref}, ${model.terms.length} features in ${model.reasons.length} reason groups, is approved under its digest ${digest.slice(0, 16)}…`, approved.state === 'approved');
}

async function grantScores({ stage, model, bank }: Play, say: Say): Promise<ReadonlyMap<number, Enterprise>> {
  const registrar = officerClient(await asOfficer(stage, 'officer-registrar', 'registry'));
  const needed = (await scoresClient(bank).explain({ subject: subjectOf(granting[0]), model: model.ref, purpose })).grant_needed?.[0]?.fields ?? [];
  const kinds = Object.entries(Object.groupBy(needed, ({ field }) => field.split('.')[0] as string)).map(([dataset, fields]) => `${fields?.length} of ${dataset}`);
  say(`before anything is spent the bank learns what the model needs: ${needed.length} fields (${kinds.join(', ')})`);
  const enterprises = new Map<number, Enterprise>();
  for (const n of granting) {
    const name = `enterprise-${n}`;
    const credentials = await stage.credentials(name);
    const { party } = await registrar.registerEnterprise(subjectOf(n), '李娜', credentials.signing.publicJwk);
    const enterprise = enterpriseClient(await connect({ gateway: stage.gateway.gatewayUrl, credentials: { ...credentials, party }, scope: 'grants' }));
    await enterprise.grant(bankId, { subject: subjectOf(n), purpose, fields: needed, valid_days: 30, uses_max: 20, data_life_days: 30, kind: 'periodic', frequency: { max: 10, per: 'day' } } as Parameters<Enterprise['grant']>[1]);
    enterprises.set(n, enterprise);
  }
  const ready = await scoresClient(bank).explain({ subject: subjectOf(granting[0]), model: model.ref, purpose });
  say.expect('each signs with a key of its own; the same question now says: ready, and all data are there', needed.length > 10 && ready.ready && ready.data === 'complete');
  return enterprises;
}

async function scoreOne({ stage, model, bank, features }: Play, say: Say): Promise<Scored> {
  const subject = subjectOf(granting[0]);
  const { exchange, ...opened } = await scoresClient(bank).score({ subject, model: model.ref, purpose });
  const { sealed, entry, receipt } = exchange.answer;
  say(`from the custodian: ${sealed.custodian.slice(0, 40)}… (masked scores, ${sealed.custodian.length} characters)`);
  say(`from the gateway:   ${sealed.gateway.slice(0, 40)}… (masks, ${sealed.gateway.length} characters)`);
  const band = model.bands.find(({ code }) => code === opened.band)?.text.en;
  say(`${subject}: ${opened.score} points, band ${opened.band} (${band}); what cost most: ${opened.reasons.map((code) => model.reasons.find((reason) => reason.code === code)?.text.en).join('; ')}`);
  const clear = clearScores(model, features, sample).get(subject);
  say.expect('the score is exactly what the model gives on the values in clear', opened.raw === clear);
  const proven = await verifyReceipt(receipt, {
    keys: (await platformKeys(stage.gateway.gatewayUrl)) as Parameters<typeof verifyReceipt>[1]['keys'], issuer: stage.gateway.gatewayUrl, institution: bankId as InstitutionId, clock: systemClock,
    record: entry.record, request: await sha256Hex(exchange.request), answer: await scoreDigest(exchange.answer),
  });
  say.expect(`the receipt commits the platform to this request, this answer and entry ${entry.index} of its log`, proven.outcome === 'released');
  const without = await refusal(() => scoresClient(bank).exchange({ subject: subjectOf(listed.at(-2) ?? 0), model: model.ref, purpose }));
  say.expect('without a grant there is no score (CONSENT_REQUIRED)', without?.code === 'CONSENT_REQUIRED');
  return { subject, raw: opened.raw, ticket: String(entry.record['ticket']), entry: entry.index };
}

async function scoreMany({ model, bank, features }: Play, enterprises: ReadonlyMap<number, Enterprise>, say: Say): Promise<void> {
  const enterprise = enterprises.get(revoking);
  const grant = (await enterprise?.grants())?.grants[0];
  await enterprise?.revoke(grant?.id ?? '');
  say(`${subjectOf(revoking)} has just revoked; two of the ${listed.length} on the list never granted, one does not exist`);
  const jobs = scoreJobsClient(bank);
  const list = listed.map((n) => ({ subject: subjectOf(n) }));
  const { request, job: opened } = await jobs.open({ model: model.ref, purpose }, await digestList(list));
  let job = await jobs.submit(opened, list);
  for (let tries = 0; job.finished_at === null && tries < 200; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    job = await jobs.progress(job.job);
  }
  const openable = await scoresClient(bank).openable(model.ref);
  const scores = (await Promise.all((await jobs.parts(job.job)).map(async (n) => openScoreJobPart(await jobs.part(job.job, n), { request, job: job.job, model: model.ref, subjects: askedSubjects(list.map(({ subject }) => subject)) }, openable, bank)))).flat();
  const clear = clearScores(model, features, sample);
  for (const one of scores) say(`${one.subject}  ${String(one.score).padStart(4)}  ${one.band}`);
  const unscored: Unscored[] = [];
  for await (const one of jobs.unscored(job.job)) unscored.push(one);
  for (const one of unscored) say(`${one.subject}     –  ${one.reason}`);
  say.expect(`${scores.length} are scored, each exactly as in clear`, job.state === 'done' && scores.length === granting.length - 1 && scores.every(({ subject, raw }) => clear.get(subject) === raw));
  const never = unscored.filter(({ subject }) => subject !== subjectOf(revoking)).map(({ reason }) => reason);
  say.expect('who has not granted and who does not exist are reported with the same reason', unscored.length === 4 && new Set(never).size === 1);
}

async function compareLogs({ stage }: Play, one: Scored, say: Say): Promise<void> {
  const read = async (url: string, kinds: string) => {
    const database = openDatabase({ url, maxConnections: 1 });
    const { rows } = await database.query<{ index: number; record: Readonly<Record<string, unknown>> }>('select index, record::jsonb as record from audit_entry where kind like $1 order by index', [kinds]);
    await database.close();
    return rows;
  };
  const [atCustodian, atGateway] = await Promise.all([read(stage.custodian.databaseUrl, 'custodian.%'), read(stage.databaseUrl, 'score%')]);
  const opened = atCustodian.find(({ record }) => record['ticket'] === one.ticket);
  const released = atGateway.find(({ index }) => index === one.entry);
  const short = (value: unknown) => String(value).slice(0, 12);
  say(`gateway   ${released?.index}: ${released?.record['kind']} ${short(released?.record['subject'])}… to ${released?.record['institution']}, model ${released?.record['model']}, request ${short(released?.record['request'])}…, ticket ${short(one.ticket)}…`);
  say(`custodian ${opened?.index}: ${opened?.record['kind']} for ${opened?.record['institution']}, ${opened?.record['slots']} slot(s), request ${short(opened?.record['request'])}…, ticket ${short(opened?.record['ticket'])}…`);
  say.expect('ticket and request are the same in both: neither can open a score that the other does not know of', opened !== undefined && opened.record['request'] === released?.record['request']);
  const told = JSON.stringify(atCustodian);
  say.expect(`in all ${atCustodian.length} records of the custodian there is no enterprise and no score`, listed.every((n) => !told.includes(subjectOf(n))) && !/"(raw|score|subject)"/.test(told));
  const logged = readFileSync(path.join(stage.folder, 'gateway.log'), 'utf8') + JSON.stringify(atGateway);
  say.expect('in the gateway\'s logs there is no score', !new RegExp(`[":]${one.raw}[",}]`).test(logged) && atGateway.length >= 3);
}

function whoSawWhat(say: Say): void {
  const rows = [
    ['', 'who was asked for', 'features', 'score', 'what it had instead'],
    ['department', 'no', 'its own', 'no', 'the custodian\'s public key'],
    ['gateway', 'yes', 'encrypted', 'no', 'ciphertexts, and the masks it drew'],
    ['custodian', 'no', 'no', 'masked', 'the secret key, and random numbers'],
    ['bank', 'yes', 'no', 'yes', 'both halves, its own key, a receipt'],
    ['enterprise', 'itself', 'its own', 'no', 'its grants, and who used them when'],
  ];
  for (const row of rows) say(row.map((cell, at) => cell.padEnd([12, 19, 11, 8, 0][at] ?? 0)).join('  ').trimEnd());
  say('Gateway and custodian together could read features, and so could gateway and an admitted bank: that is why they are different organisations with logs of their own.');
}
