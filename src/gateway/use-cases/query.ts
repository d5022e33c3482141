import { VeilgateError } from '../../errors.ts';
import type { DatasetId, Decision, FieldDecision, FieldRef, GrantId, PurposeCode, SubjectId, Use, Value } from '../../vocabulary.ts';

/** One query of a bank, after its form was checked (gateway/schema/query.ts). */
export type Query = {
  readonly subject: SubjectId;
  readonly purpose: PurposeCode;
  readonly grant?: GrantId;
  readonly read?: readonly FieldRef[];
  readonly verify?: readonly Claim[];
  readonly rows?: Readonly<Record<DatasetId, RowSelection>>;
  readonly facts?: Readonly<Record<string, Value>>;
};

export type Claim = { readonly field: FieldRef; readonly claimed: Value };

export type RowSelection = {
  readonly filter?: readonly { readonly field: FieldRef; readonly op: 'eq' | 'gte' | 'lte'; readonly value: Value }[];
  readonly sort?: { readonly field: FieldRef; readonly direction: 'asc' | 'desc' };
  readonly limit?: number;
};

/** Each field × use the query asks for, reads first. Errors: QUERY_INVALID. */
export function askedFields(query: Query): { readonly field: FieldRef; readonly use: Use }[] {
  const asked = [
    ...(query.read ?? []).map((field) => ({ field, use: 'read' as const })),
    ...(query.verify ?? []).map(({ field }) => ({ field, use: 'verify' as const })),
  ];
  if (asked.length === 0) throw new VeilgateError('QUERY_INVALID', 'The query asks for nothing: name fields in `read` or claims in `verify`.', { pointer: '/query' });
  refuseRepeated(query.read ?? [], '/query/read');
  refuseRepeated((query.verify ?? []).map(({ field }) => field), '/query/verify');
  return asked;
}

function refuseRepeated(fields: readonly FieldRef[], pointer: string): void {
  if (new Set(fields).size < fields.length) throw new VeilgateError('QUERY_INVALID', 'The query names a field twice: name each once.', { pointer });
}

export function datasetOf(field: FieldRef): DatasetId {
  return field.slice(0, field.indexOf('.')) as DatasetId;
}

/** The fields whose columns may be read: everything the decision does not withhold. */
export function permittedFields(decision: Decision): FieldRef[] {
  return [...new Set(decision.fields.filter(({ disposition }) => disposition !== 'withhold').map(({ field }) => field))];
}

export function withheldFields(decision: Decision): FieldDecision[] {
  return decision.fields.filter(({ disposition }) => disposition === 'withhold');
}

/**
 * Choosing rows by a field tells its value as surely as reading it, and ordering by it nearly so: both need the
 * field in clear. A verified dataset is compared with its latest row, so its rows cannot be chosen at all.
 * Errors: QUERY_FILTER_NOT_PERMITTED, QUERY_INVALID.
 */
export function checkRowSelections(query: Query, decision: Decision): void {
  const selections = Object.entries(query.rows ?? {}) as [DatasetId, RowSelection][];
  if (selections.length === 0) return;
  const clear = new Set(decision.fields.filter(({ use, disposition }) => use === 'read' && disposition === 'clear').map(({ field }) => field));
  const read = new Set(decision.fields.filter(({ use, disposition }) => use === 'read' && disposition !== 'withhold').map(({ field }) => datasetOf(field)));
  const verified = new Set((query.verify ?? []).map(({ field }) => datasetOf(field)));
  for (const [dataset, { filter = [], sort }] of selections) {
    const chosenBy = [...filter.map(({ field }) => field), ...(sort === undefined ? [] : [sort.field])];
    if (chosenBy.some((field) => datasetOf(field) !== dataset)) {
      throw new VeilgateError('QUERY_INVALID', 'Rows of a dataset are chosen by its own fields only.', { pointer: `/query/rows/${dataset}` });
    }
    const forbidden = chosenBy.filter((field) => !clear.has(field));
    if (forbidden.length > 0) {
      throw new VeilgateError('QUERY_FILTER_NOT_PERMITTED', 'Filtering or sorting by a field needs the right to read it in clear: leave these fields out of `rows`, or ask for a grant that covers them.', { fields: forbidden });
    }
    if (!read.has(dataset)) throw new VeilgateError('QUERY_INVALID', 'Rows are chosen of a dataset that the query does not read.', { pointer: `/query/rows/${dataset}` });
    if (verified.has(dataset)) throw new VeilgateError('QUERY_INVALID', 'Claims are compared with the latest record: verify in a query of its own, without choosing rows.', { pointer: `/query/rows/${dataset}` });
  }
}
