import type { QueryResultRow } from 'pg';
import { isVeilgateError, type VeilgateError } from '../errors.ts';
import type { Sql } from '../store/database.ts';
import { RawRow, type Catalogue, type DatasetId, type FieldRef, type Value } from '../vocabulary.ts';
import { makePlan, planKey, type FetchPlan } from './fetch-plan.ts';
import { resolveRequest, type DatasetSelection, type FetchRequest } from './selection.ts';

/** Rows by dataset: an entry for each dataset of which a field was asked, empty when the subject has no row there. */
export type FetchedRows = ReadonlyMap<DatasetId, readonly RawRow[]>;

/** Plans that are kept; those used most often are prepared on every connection, at most as many as named here. */
const plansMax = 1000;
const preparedMax = 200;
const usesBeforePreparing = 3;

type KeptPlan = { readonly plan: FetchPlan; uses: number; prepared: boolean };
type Resolved = { readonly kept: KeptPlan; readonly selections: readonly DatasetSelection[] };
type Plans = {
  readonly kept: Map<string, KeptPlan>;
  /** Requests that choose no rows by their values, by fields and numbers of rows: nearly all, and resolved once. */
  readonly plain: Map<string, Resolved>;
  prepared: number;
};
const plansOf = new WeakMap<Catalogue, Plans>();

/**
 * Fetches the permitted columns, and no others, for many queries at once: one statement for all requests of the same
 * shape, the shapes side by side. Newest rows first (by period, else by record) unless a sort is asked for.
 * @returns one result for each request, in order: its rows, or the error of a request that cannot be fetched
 * (QUERY_INVALID, QUERY_FILTER_NOT_PERMITTED). Throws STORE_UNAVAILABLE for all.
 */
export async function fetchRows(sql: Sql, catalogue: Catalogue, requests: readonly FetchRequest[]): Promise<readonly (FetchedRows | VeilgateError)[]> {
  const plans = plansFor(catalogue);
  const results: (FetchedRows | VeilgateError)[] = new Array(requests.length);
  const groups = new Map<KeptPlan, { readonly at: number[]; readonly requests: FetchRequest[]; readonly selections: (readonly DatasetSelection[])[] }>();
  requests.forEach((request, at) => {
    try {
      const { kept, selections } = resolve(plans, catalogue, request);
      let group = groups.get(kept);
      if (group === undefined) groups.set(kept, (group = { at: [], requests: [], selections: [] }));
      group.at.push(at);
      group.requests.push(request);
      group.selections.push(selections);
    } catch (error) {
      if (!isVeilgateError(error)) throw error;
      results[at] = error;
    }
  });
  await Promise.all(
    [...groups].map(async ([kept, group]) => {
      const answers = await runPlan(sql, plans, kept, group.requests, group.selections);
      answers.forEach((rows, at) => {
        results[group.at[at] as number] = rows;
      });
    }),
  );
  return results;
}

async function runPlan(sql: Sql, plans: Plans, kept: KeptPlan, requests: readonly FetchRequest[], selections: readonly (readonly DatasetSelection[])[]): Promise<FetchedRows[]> {
  const { plan } = kept;
  if (plan.datasets.length === 0) return requests.map(() => new Map());
  kept.uses += 1;
  // prepared once it has come back a few times, so that rare shapes do not fill the servers' memory
  if (!kept.prepared && kept.uses > usesBeforePreparing && plans.prepared < preparedMax) {
    kept.prepared = true;
    plans.prepared += 1;
  }
  const statement = { text: plan.text, values: plan.parameters(requests, selections), rowMode: 'array', ...(kept.prepared ? { name: plan.name } : {}) };
  const { rows } = await sql.query<AnswerRow>(statement);
  const answers: FetchedRows[] = new Array(requests.length);
  for (const row of rows) answers[row[0] - 1] = rowsOf(plan, row);
  return answers;
}

function plansFor(catalogue: Catalogue): Plans {
  let plans = plansOf.get(catalogue);
  if (plans === undefined) plansOf.set(catalogue, (plans = { kept: new Map(), plain: new Map(), prepared: 0 }));
  return plans;
}

function resolve(plans: Plans, catalogue: Catalogue, request: FetchRequest): Resolved {
  const plainKey = plainKeyOf(request);
  const known = plainKey === undefined ? undefined : plans.plain.get(plainKey);
  if (known !== undefined) return known;
  const selections = resolveRequest(catalogue, request);
  const resolved = { kept: keptPlan(plans, selections), selections };
  if (plainKey !== undefined) {
    if (plans.plain.size >= plansMax) plans.plain.clear();
    plans.plain.set(plainKey, resolved);
  }
  return resolved;
}

/** undefined for a request that filters: its values come in any number. */
function plainKeyOf({ fields, rows }: FetchRequest): string | undefined {
  const name = `${fields.length},${fields.join()}`;
  if (rows === undefined) return name;
  return Object.values(rows).every(({ filter }) => filter === undefined) ? `${name} ${JSON.stringify(rows)}` : undefined;
}

function keptPlan(plans: Plans, selections: readonly DatasetSelection[]): KeptPlan {
  const key = planKey(selections);
  let kept = plans.kept.get(key);
  if (kept === undefined) {
    if (plans.kept.size >= plansMax) dropOldest(plans);
    plans.kept.set(key, (kept = { plan: makePlan(selections), uses: 0, prepared: false }));
  }
  return kept;
}

function dropOldest(plans: Plans): void {
  for (const [key, { prepared }] of plans.kept) {
    if (prepared) continue;
    plans.kept.delete(key);
    return;
  }
}

/** n (from 1), then one JSON value per dataset: a row, an array of rows, or null. */
type AnswerRow = [number, ...unknown[]] & QueryResultRow;

function rowsOf(plan: FetchPlan, answer: AnswerRow): FetchedRows {
  const rows = new Map<DatasetId, readonly RawRow[]>();
  plan.datasets.forEach(({ id, positions }, at) => {
    const found = (answer[at + 1] ?? []) as readonly (readonly Value[])[];
    rows.set(id, found.map((values) => new RawRow(new RowValues(positions, values))));
  });
  return rows;
}

/** A row's values as a map, without a map's cost for each row: where a field stands is the same for all rows. */
class RowValues implements ReadonlyMap<FieldRef, Value> {
  readonly #positions: ReadonlyMap<FieldRef, number>;
  readonly #values: readonly Value[];

  constructor(positions: ReadonlyMap<FieldRef, number>, values: readonly Value[]) {
    this.#positions = positions;
    this.#values = values;
  }
  get size(): number {
    return this.#positions.size;
  }
  get(field: FieldRef): Value | undefined {
    const at = this.#positions.get(field);
    return at === undefined ? undefined : this.#values[at];
  }
  has(field: FieldRef): boolean {
    return this.#positions.has(field);
  }
  *entries(): MapIterator<[FieldRef, Value]> {
    for (const [field, at] of this.#positions) yield [field, this.#values[at] as Value];
  }
  keys(): MapIterator<FieldRef> {
    return this.#positions.keys();
  }
  *values(): MapIterator<Value> {
    yield* this.#values;
  }
  forEach(visit: (value: Value, field: FieldRef, map: ReadonlyMap<FieldRef, Value>) => void): void {
    for (const [field, value] of this.entries()) visit(value, field, this);
  }
  [Symbol.iterator](): MapIterator<[FieldRef, Value]> {
    return this.entries();
  }
}
