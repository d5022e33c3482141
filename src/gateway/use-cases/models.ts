import { hash } from 'node:crypto';
import { appendRecords } from '../../audit/append.ts';
import { recordHead } from '../../audit/entry.ts';
import type { Clock } from '../../clock.ts';
import { VeilgateError } from '../../errors.ts';
import type { CompiledPolicy } from '../../policy/policy.ts';
import { createModelGuard, type ModelGuard } from '../../scoring/model/guard.ts';
import { approveModel, approvedModel, approvedModels, listModels, lockProposal, modelPageMax, notFound, proposeModel, readModel, refuseModel, retireModel, usableBy, type RegisteredModel } from '../../scoring/model/registry.ts';
import type { ScoringSettings } from '../../scoring/model/settings.ts';
import { modelInvalid, parseModel, type ModelProblem } from '../../scoring/model/shape.ts';
import type { FeatureSpace } from '../../scoring/model/space.ts';
import type { Trial } from '../../scoring/model/trial-report.ts';
import type { ModelVerdict } from '../../scoring/model/verdict.ts';
import type { Model, ModelRef, ModelState } from '../../scoring/protocol.ts';
import type { Database, Tx } from '../../store/database.ts';
import type { Caller, InstitutionClass, InstitutionId, PartyId } from '../../vocabulary.ts';

/** What decisions about models need. */
export type ModelDesk = {
  readonly database: Database;
  readonly clock: Clock;
  readonly policy: () => CompiledPolicy;
  /** Features and fields as declared now. */
  readonly space: () => FeatureSpace;
  readonly settings: () => ScoringSettings;
};

export type Judged = Awaited<ReturnType<ModelGuard['compare']>>;

/** Approved models a new one is compared with. */
const besideMax = 100;
/** Proposals an institution may have undecided. */
const openProposalsMax = 20;

/** Judges a document without keeping it, beside the approved models this caller may see. Errors: MODEL_INVALID, REQUEST_OVERLOADED. */
export async function judgeDocument(desk: ModelDesk, caller: Caller, document: unknown): Promise<Judged> {
  const model = readDocument(desk, caller, document);
  return guardOf(desk).compare(model, visible(caller, await approvedModels(desk.database)).slice(0, besideMax));
}

/** Errors: MODEL_INVALID, MODEL_REFUSED, REQUEST_OVERLOADED. */
export async function harmlessDocument(desk: ModelDesk, caller: Caller, document: unknown): Promise<Model> {
  const model = readDocument(desk, caller, document);
  requireHarmless(await guardOf(desk).judge(model));
  return model;
}

function readDocument(desk: ModelDesk, caller: Caller, document: unknown): Model {
  const model = parseModel(document);
  const problems = [...policyProblems(desk, model), ...ownershipProblems(caller, model)];
  if (problems.length > 0) throw modelInvalid(problems);
  return model;
}

/** Registers a model that was found harmless, for somebody else to decide on. Errors: MODEL_EXISTS, REQUEST_QUOTA_EXCEEDED. */
export async function propose(desk: ModelDesk, tx: Tx, caller: Caller, model: Model): Promise<{ readonly ref: ModelRef; readonly digest: string }> {
  if (caller.kind === 'institution') await requireFewOpen(tx, caller.party);
  const digest = await proposeModel(tx, { model, by: caller.party }, desk.clock);
  await appendRecords(tx, [{ ...recordHead('model.proposed', desk.clock.nowMs(), caller.party), model: model.ref, digest }]);
  return { ref: model.ref, digest };
}

/** Judges what is to be approved once more, by the features, limits and policy of this moment. Errors: MODEL_NOT_FOUND, MODEL_INVALID, MODEL_REFUSED, REQUEST_OVERLOADED. */
export async function rejudge(desk: ModelDesk, ref: ModelRef): Promise<void> {
  const { model, state } = await readModel(desk.database, ref);
  if (state !== 'proposed') return; // said under lock
  const problems = policyProblems(desk, model);
  if (problems.length > 0) throw modelInvalid(problems);
  requireHarmless(await guardOf(desk).judge(model));
}

/** Puts a rejudged proposal into use; its document cannot have changed. Errors: MODEL_NOT_FOUND, MODEL_CHANGED, MODEL_STATE_CONFLICT, MODEL_SAME_PERSON. */
export async function approve(desk: ModelDesk, tx: Tx, caller: Caller, { ref, digest }: { readonly ref: ModelRef; readonly digest: string }): Promise<void> {
  const proposal = await lockProposal(tx, ref, digest);
  await approveModel(tx, proposal, caller.party, desk.clock);
  await appendRecords(tx, [{ ...recordHead('model.approved', desk.clock.nowMs(), caller.party), model: ref, digest }]);
}

/** Errors: MODEL_NOT_FOUND, MODEL_CHANGED, MODEL_STATE_CONFLICT. */
export async function refuse(desk: ModelDesk, tx: Tx, caller: Caller, { ref, digest, reason }: { readonly ref: ModelRef; readonly digest: string; readonly reason: string }): Promise<void> {
  const proposal = await lockProposal(tx, ref, digest);
  await refuseModel(tx, proposal, { by: caller.party, reason }, desk.clock);
  await appendRecords(tx, [{ ...recordHead('model.refused', desk.clock.nowMs(), caller.party), model: ref, digest, reason }]);
}

/** Errors: MODEL_NOT_FOUND, MODEL_STATE_CONFLICT. */
export async function retire(desk: ModelDesk, tx: Tx, caller: Caller, { ref, reason }: { readonly ref: ModelRef; readonly reason: string }): Promise<void> {
  const { digest } = await retireModel(tx, { ref, by: caller.party, reason }, desk.clock);
  await appendRecords(tx, [{ ...recordHead('model.retired', desk.clock.nowMs(), caller.party), model: ref, digest, reason }]);
}

/** A model to score with: approved, not retired, and within the limits of this moment; else none. */
export async function usableModel(desk: ModelDesk, ref: ModelRef): Promise<Model | undefined> {
  const model = await approvedModel(desk.database, ref);
  return model !== undefined && (await guardOf(desk).judge(model)).ok ? model : undefined;
}

/** A model this caller may see, on made-up enterprises. Errors: MODEL_NOT_FOUND, REQUEST_OVERLOADED. */
export async function tryVisible(desk: ModelDesk, caller: Caller, ref: ModelRef, asked: { readonly count: number; readonly seed: number }): Promise<Trial> {
  return guardOf(desk).tryOut((await readVisible(desk, caller, ref)).model, asked);
}

/** A model this caller may see. Somebody else's and none look alike. Errors: MODEL_NOT_FOUND. */
export async function readVisible(desk: ModelDesk, caller: Caller, ref: ModelRef): Promise<RegisteredModel> {
  const model = await readModel(desk.database, ref);
  if (!isVisible(caller, model)) throw notFound();
  return model;
}

/** One page of models this caller may see: officers all, institutions those meant for them and their own proposals. `next`: the last of a full page. */
export async function listVisible(desk: ModelDesk, caller: Caller, page: { readonly after?: string | undefined; readonly state?: ModelState | undefined }): Promise<{ readonly models: readonly RegisteredModel[]; readonly next: ModelRef | null }> {
  const viewer = caller.kind === 'institution' ? { institution: caller.party as InstitutionId, institutionClass: caller.institutionClass } : undefined;
  const read = await listModels(desk.database, { ...page, viewer });
  const models = read.filter((model) => isVisible(caller, model));
  return { models, next: read.length === modelPageMax ? models.at(-1)?.model.ref ?? null : null };
}

function isVisible(caller: Caller, { model, state, proposedBy }: RegisteredModel): boolean {
  if (caller.kind !== 'institution') return true;
  if (proposedBy === caller.party) return true;
  // a retired one is shown still: scores it gave must stay readable
  return (state === 'approved' || state === 'retired') && visible(caller, [model]).length > 0;
}

function visible(caller: Caller, models: readonly Model[]): readonly Model[] {
  if (caller.kind !== 'institution') return models;
  return models.filter((model) => caller.institutionClass !== undefined && usableBy(model, { institution: caller.party as InstitutionId, institutionClass: caller.institutionClass }));
}

/** Purposes and classes that the policy does not have, or under which nothing may be scored. */
function policyProblems(desk: ModelDesk, model: Model): ModelProblem[] {
  const policy = desk.policy();
  return [
    ...model.purposes.flatMap((purpose, at): ModelProblem[] => {
      const known = policy.purposes.get(purpose);
      if (known === undefined) return [{ pointer: `/purposes/${at}`, problem: 'is no purpose of this platform' }];
      return known.uses.has('score') ? [] : [{ pointer: `/purposes/${at}`, problem: 'does not allow scores' }];
    }),
    ...model.institutionClasses.flatMap((name, at) => (policy.institutionClasses.has(name) ? [] : [{ pointer: `/institution_classes/${at}`, problem: 'is no institution class of this platform' }])),
  ];
}

/** An institution proposes for itself alone, under names of its own: a name that is taken would tell of others' models. */
function ownershipProblems({ kind, party, institutionClass }: Caller, model: Model): ModelProblem[] {
  if (kind !== 'institution') return [];
  const prefix = namePrefix(party);
  const own = (values: readonly string[] | undefined, value: string | undefined) => values?.length === 1 && values[0] === value;
  return [
    ...(model.ref.startsWith(prefix) ? [] : [{ pointer: '/ref', problem: `must begin with ${prefix}, as all models of yours` }]),
    ...(own(model.institutions, party as InstitutionId) ? [] : [{ pointer: '/institutions', problem: 'must name you alone' }]),
    ...(own(model.institutionClasses, institutionClass as InstitutionClass) ? [] : [{ pointer: '/institution_classes', problem: 'must be your class alone' }]),
  ];
}

/** Ids that go into names as they are, with `_` for `-`; those with x are others' by digest. */
const plainId = /^(?!x)[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const plainLengthMax = 28;

/**
 * `bank-a` names its models `bank_a__…`. No prefix is another's or begins one: two underscores stand nowhere but at its end, and
 * what the letters of a name cannot tell apart (`bank.a`, `bank_a`, long ids) goes by digest.
 */
export function namePrefix(party: PartyId): string {
  if (party.length <= plainLengthMax && plainId.test(party)) return `${party.replaceAll('-', '_')}__`;
  return `x${hash('sha256', party, 'hex').slice(0, 16)}__`;
}

async function requireFewOpen(tx: Tx, party: PartyId): Promise<void> {
  const open = (await listModels(tx, { state: 'proposed', proposedBy: party })).length;
  if (open >= openProposalsMax) throw new VeilgateError('REQUEST_QUOTA_EXCEEDED', `You have ${open} models that wait for a decision: wait for it, or ask the platform to refuse some.`);
}

function requireHarmless({ ok, findings }: ModelVerdict): void {
  if (ok) return;
  const [first] = findings;
  throw new VeilgateError('MODEL_REFUSED', `The model could tell single values and is refused: ${first?.problem ?? ''}`, { findings });
}

const guards = new WeakMap<FeatureSpace, { readonly settings: ScoringSettings; readonly guard: ModelGuard }>();

/** The guard for the features and limits in force; kept as long as they are. */
function guardOf(desk: Pick<ModelDesk, 'space' | 'settings'>): ModelGuard {
  const [space, settings] = [desk.space(), desk.settings()];
  const known = guards.get(space);
  if (known?.settings === settings) return known.guard;
  const guard = createModelGuard(space, settings);
  guards.set(space, { settings, guard });
  return guard;
}
