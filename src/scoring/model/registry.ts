import type { Clock } from '../../clock.ts';
import { VeilgateError } from '../../errors.ts';
import { canonicalJson } from '../../canonical.ts';
import { isUniqueViolation, type Sql, type Tx } from '../../store/database.ts';
import type { FieldRef, InstitutionClass, InstitutionId, PartyId, TimeMs } from '../../vocabulary.ts';
import type { Feature, FeatureId, Model, ModelRef, ModelState } from '../protocol.ts';
import { modelFromJson, modelToJson, type ModelJson } from './document.ts';
import { modelDigest } from './shape.ts';

/** A registered model and how it got there. */
export type RegisteredModel = {
  readonly model: Model;
  /** SHA-256, lower-case hex, of the document. */
  readonly digest: string;
  readonly state: ModelState;
  readonly proposedBy: PartyId;
  readonly proposedMs: TimeMs;
  readonly decidedBy: PartyId | null;
  readonly decidedMs: TimeMs | null;
  /** Code of why it was refused or retired. */
  readonly reason: string | null;
  readonly retiredBy: PartyId | null;
  readonly retiredMs: TimeMs | null;
};

type Row = {
  readonly document: string; readonly digest: string; readonly state: ModelState; readonly proposed_by: PartyId; readonly proposed_ms: TimeMs;
  readonly decided_by: PartyId | null; readonly decided_ms: TimeMs | null; readonly refusal: string | null; readonly retired_by: PartyId | null; readonly retired_ms: TimeMs | null; readonly retirement: string | null;
};

const columns = 'document, digest, state, proposed_by, proposed_ms, decided_by, decided_ms, refusal, retired_by, retired_ms, retirement';
/** Models one page lists. */
export const modelPageMax = 100;

/** The model under this name and version when it is approved and not retired. */
export async function approvedModel(sql: Sql, ref: ModelRef): Promise<Model | undefined> {
  const { rows: [row] } = await sql.query<Pick<Row, 'document'>>({ name: 'scoring approved model', text: "select document from scoring_model where ref = $1 and state = 'approved'", values: [ref] });
  return row === undefined ? undefined : modelFromJson(JSON.parse(row.document) as ModelJson);
}

/** Whether a model is meant for an institution at all; purpose and features are decided for each use. */
export function usableBy(model: Model, by: { readonly institution: InstitutionId; readonly institutionClass: InstitutionClass }): boolean {
  return model.institutionClasses.includes(by.institutionClass) && (model.institutions?.includes(by.institution) ?? true);
}

/** Errors: MODEL_NOT_FOUND. */
export async function readModel(sql: Sql, ref: ModelRef): Promise<RegisteredModel> {
  const { rows: [row] } = await sql.query<Row>({ name: 'scoring read model', text: `select ${columns} from scoring_model where ref = $1`, values: [ref] });
  if (row === undefined) throw notFound();
  return registered(row);
}

/** Who sees what `usableBy` lets it use, once it was approved, and what it proposed itself. */
export type ModelViewer = { readonly institution: InstitutionId; readonly institutionClass: InstitutionClass | undefined };

type ModelFilter = {
  readonly after?: string | undefined; readonly state?: ModelState | undefined; readonly proposedBy?: PartyId;
  /** Only what it sees; everything when absent. */
  readonly viewer?: ModelViewer | undefined;
};

/** By reference, after `after`; at most modelPageMax. */
export async function listModels(sql: Sql, { after, state, proposedBy, viewer }: ModelFilter = {}): Promise<RegisteredModel[]> {
  const { rows } = await sql.query<Row>({
    name: 'scoring list models',
    text: `select ${columns} from scoring_model
           where ($1::text is null or ref > $1) and ($2::text is null or state = $2) and ($3::text is null or proposed_by = $3)
             and ($5::text is null or proposed_by = $5 or (state in ('approved', 'retired') and document::jsonb -> 'institution_classes' ? $6
               and coalesce(document::jsonb -> 'institutions' ? $5, true)))
           order by ref limit $4`,
    values: [after ?? null, state ?? null, proposedBy ?? null, modelPageMax, viewer?.institution ?? null, viewer?.institutionClass ?? null],
  });
  return rows.map(registered);
}

/** Every approved model; there are as many as compliance approved. */
export async function approvedModels(sql: Sql): Promise<Model[]> {
  const { rows } = await sql.query<Pick<Row, 'document'>>({ name: 'scoring approved models', text: "select document from scoring_model where state = 'approved' order by ref", values: [] });
  return rows.map(({ document }) => modelFromJson(JSON.parse(document) as ModelJson));
}

/** Approved models, and those that were retired: everything a score was ever given under. */
export async function modelsEverApproved(sql: Sql): Promise<Model[]> {
  const { rows } = await sql.query<Pick<Row, 'document'>>({ name: 'scoring models ever approved', text: "select document from scoring_model where state in ('approved', 'retired') order by ref", values: [] });
  return rows.map(({ document }) => modelFromJson(JSON.parse(document) as ModelJson));
}

/**
 * Models that work on a field. A feature that is declared no more counts for every field of its dataset: whom a
 * correction concerns is told rather once too often.
 */
export function modelsOn(field: FieldRef, models: readonly Model[], features: ReadonlyMap<FeatureId, Feature>): ModelRef[] {
  const dataset = field.slice(0, field.indexOf('.'));
  return models.filter(({ terms }) => terms.some(({ feature }) => {
    const declared = features.get(feature);
    return declared === undefined ? feature.startsWith(`${dataset}/`) : declared.source === field;
  })).map(({ ref }) => ref);
}

export type ModelStep = { readonly ref: ModelRef; readonly by: PartyId };

/** Registers a judged model. @returns its digest. Errors: MODEL_EXISTS. */
export async function proposeModel(tx: Tx, { model, by }: { readonly model: Model; readonly by: PartyId }, clock: Clock): Promise<string> {
  const digest = modelDigest(model);
  try {
    await tx.query({
      name: 'scoring propose model',
      text: "insert into scoring_model (ref, document, digest, state, proposed_by, proposed_ms) values ($1, $2, $3, 'proposed', $4, $5)",
      values: [model.ref, canonicalJson(modelToJson(model)), digest, by, clock.nowMs()],
    });
  } catch (error) {
    if (!isUniqueViolation(error, 'scoring_model_pkey')) throw error;
    throw new VeilgateError('MODEL_EXISTS', 'There is a model of this name and version: a version never changes, propose the next one.');
  }
  return digest;
}

/**
 * Locks a proposal for its decision.
 * @param digest of the document that was read; another one means that something else would be decided
 * Errors: MODEL_NOT_FOUND, MODEL_CHANGED, MODEL_STATE_CONFLICT.
 */
export async function lockProposal(tx: Tx, ref: ModelRef, digest: string): Promise<RegisteredModel> {
  return locked(tx, ref, digest, 'proposed');
}

/** Puts a locked proposal into use. Errors: MODEL_SAME_PERSON. */
export async function approveModel(tx: Tx, proposal: RegisteredModel, by: PartyId, clock: Clock): Promise<void> {
  if (proposal.proposedBy === by) throw new VeilgateError('MODEL_SAME_PERSON', 'You proposed this model: somebody else must approve it.');
  await tx.query({
    name: 'scoring approve model', text: "update scoring_model set state = 'approved', decided_by = $2, decided_ms = $3 where ref = $1", values: [proposal.model.ref, by, clock.nowMs()],
  });
}

/** Ends a locked proposal. Who proposed it may do so too. */
export async function refuseModel(tx: Tx, proposal: RegisteredModel, { by, reason }: { readonly by: PartyId; readonly reason: string }, clock: Clock): Promise<void> {
  await tx.query({
    name: 'scoring refuse model', text: "update scoring_model set state = 'refused', decided_by = $2, decided_ms = $3, refusal = $4 where ref = $1", values: [proposal.model.ref, by, clock.nowMs(), reason],
  });
}

// Not the row's own lock: those who share a row can keep somebody who wants to change it waiting for ever, these queue.
const holdingLock = "hashtext('veilgate model'), hashtext(ref)";

/**
 * Those of the models that are out of use, asked again right before scores leave. The others stay in use until the
 * transaction ends: a retirement that comes meanwhile waits.
 */
export async function holdModels(tx: Tx, refs: readonly ModelRef[]): Promise<ReadonlySet<ModelRef>> {
  const models = [...new Set(refs)];
  if (models.length === 0) return new Set();
  // two statements, so that the second sees what was committed while the first waited; sent together
  const [, { rows }] = await Promise.all([
    tx.query({ name: 'scoring hold models', text: `select pg_advisory_xact_lock_shared(${holdingLock}) from unnest($1::text[]) as ref`, values: [models] }),
    tx.query<{ ref: ModelRef }>({ name: 'scoring unusable models', text: "select m.ref from unnest($1::text[]) as asked (ref) join scoring_model m on m.ref = asked.ref and m.state <> 'approved'", values: [models] }),
  ]);
  return new Set(rows.map(({ ref }) => ref));
}

/** Takes a model out of use, at once and on every node; waits for scores that are leaving. Errors: MODEL_NOT_FOUND, MODEL_STATE_CONFLICT. */
export async function retireModel(tx: Tx, { ref, by, reason }: ModelStep & { readonly reason: string }, clock: Clock): Promise<RegisteredModel> {
  await tx.query(`select pg_advisory_xact_lock(${holdingLock}) from (select $1::text as ref) model`, [ref]);
  const model = await locked(tx, ref, undefined, 'approved');
  await tx.query({
    name: 'scoring retire model', text: "update scoring_model set state = 'retired', retired_by = $2, retired_ms = $3, retirement = $4 where ref = $1", values: [ref, by, clock.nowMs(), reason],
  });
  return model;
}

async function locked(tx: Tx, ref: ModelRef, digest: string | undefined, state: ModelState): Promise<RegisteredModel> {
  const { rows: [row] } = await tx.query<Row>({ name: 'scoring lock model', text: `select ${columns} from scoring_model where ref = $1 for no key update`, values: [ref] });
  if (row === undefined) throw notFound();
  if (digest !== undefined && row.digest !== digest) throw new VeilgateError('MODEL_CHANGED', 'The registered model is another one than the one you read: read it again before you decide.', { digest: row.digest });
  if (row.state !== state) throw new VeilgateError('MODEL_STATE_CONFLICT', `The model is ${row.state}: read it again.`, { state: row.state });
  return registered(row);
}

function registered(row: Row): RegisteredModel {
  return {
    model: modelFromJson(JSON.parse(row.document) as ModelJson), digest: row.digest, state: row.state, proposedBy: row.proposed_by, proposedMs: row.proposed_ms,
    decidedBy: row.decided_by, decidedMs: row.decided_ms, reason: row.refusal ?? row.retirement, retiredBy: row.retired_by, retiredMs: row.retired_ms,
  };
}

export function notFound(): VeilgateError {
  return new VeilgateError('MODEL_NOT_FOUND', 'There is no such model, or it is not yours to see.');
}
