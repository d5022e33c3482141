import { VeilgateError } from '../errors.ts';
import type { Catalogue, Dataset, DatasetId, Field, FieldRef, IsoDate, SubjectId, Value } from '../vocabulary.ts';
import { Fault, isStorableText, valueReader, type ValueReader } from './values.ts';

/** Which rows of one dataset, out of those the subject has there. */
export type RowSelection = {
  /** All must hold. At most 5. Text, codes and booleans know `eq` only. */
  readonly filter?: readonly { readonly field: FieldRef; readonly op: 'eq' | 'gte' | 'lte'; readonly value: Value }[];
  readonly sort?: { readonly field: FieldRef; readonly direction: 'asc' | 'desc' };
  /** 1 to 120; 24 when absent. */
  readonly limit?: number;
};

/** What to fetch for one query. `fields` holds permitted fields only: nothing else is read or compared. */
export type FetchRequest = {
  readonly subject: SubjectId;
  readonly fields: readonly FieldRef[];
  /** Time the rows may be about, inclusive; null: no bound on that side. For datasets with a period field. */
  readonly dataFrom: IsoDate | null;
  readonly dataTo: IsoDate | null;
  /** By dataset id. */
  readonly rows?: Readonly<Record<string, RowSelection>>;
};

export const rowsDefault = 24;
export const rowsMax = 120;
export const filtersMax = 5;
export const fieldsMax = 500;

export type Filter = { readonly field: Field; readonly op: 'eq' | 'gte' | 'lte'; readonly value: Value };
/** One dataset's part of a request, every name resolved and every value checked. */
export type DatasetSelection = {
  readonly dataset: Dataset;
  readonly fields: readonly Field[];
  readonly filters: readonly Filter[];
  readonly sort: { readonly field: Field; readonly direction: 'asc' | 'desc' } | undefined;
  readonly limit: number;
};

/**
 * Resolves a request against the catalogue, datasets in order of their first field.
 * Errors: QUERY_INVALID for unknown fields, bad operators, values, limits; QUERY_FILTER_NOT_PERMITTED for filtering
 * or sorting by a field that is not in `fields`, known or not.
 */
export function resolveRequest(catalogue: Catalogue, request: FetchRequest): readonly DatasetSelection[] {
  const fields = fieldsByDataset(catalogue, request.fields);
  for (const [id, rows] of Object.entries(request.rows ?? {})) {
    const asks = (rows.filter?.length ?? 0) > 0 || rows.sort !== undefined;
    if (asks && !fields.has(id as DatasetId)) throw notPermitted();
  }
  return [...fields].map(([id, fieldsOfDataset]) => {
    const rows = request.rows !== undefined && Object.hasOwn(request.rows, id) ? request.rows[id] : undefined;
    const dataset = catalogue.datasets.get(id) as Dataset;
    const own = (ref: FieldRef) => {
      const field = fieldsOfDataset.find((candidate) => candidate.ref === ref);
      if (field === undefined) throw notPermitted();
      return field;
    };
    return {
      dataset,
      fields: fieldsOfDataset,
      filters: resolveFilters(rows?.filter ?? [], own),
      sort: rows?.sort === undefined ? undefined : { field: own(rows.sort.field), direction: direction(rows.sort.direction) },
      limit: rowLimit(rows?.limit),
    };
  });
}

function fieldsByDataset(catalogue: Catalogue, refs: readonly FieldRef[]): ReadonlyMap<DatasetId, readonly Field[]> {
  if (refs.length > fieldsMax) throw new VeilgateError('QUERY_INVALID', `Ask for at most ${fieldsMax} fields at once.`);
  const found = new Map<DatasetId, Field[]>();
  const seen = new Set<FieldRef>();
  for (const ref of refs) {
    const field = catalogue.fields.get(ref);
    if (field === undefined) throw new VeilgateError('QUERY_INVALID', 'The query names a field that is not available: see the catalogue.');
    if (seen.has(ref)) continue;
    seen.add(ref);
    const id = ref.slice(0, ref.indexOf('.')) as DatasetId;
    const fields = found.get(id);
    if (fields === undefined) found.set(id, [field]);
    else fields.push(field);
  }
  return found;
}

function resolveFilters(filters: NonNullable<RowSelection['filter']>, own: (ref: FieldRef) => Field): Filter[] {
  if (filters.length > filtersMax) throw new VeilgateError('QUERY_INVALID', `Filter a dataset by at most ${filtersMax} conditions.`);
  return filters.map(({ field: ref, op, value }) => {
    const field = own(ref);
    const ordered = field.type === 'integer' || field.type === 'decimal' || field.type === 'date';
    if (op !== 'eq' && !(ordered && (op === 'gte' || op === 'lte'))) {
      throw new VeilgateError('QUERY_INVALID', 'A filter uses an operator its field does not know: text, codes and booleans are compared by eq only.', { field: field.ref });
    }
    return { field, op, value: filterValue(field, value) };
  });
}

const readers = new WeakMap<Field, ValueReader>();

/** A value to compare with: of the field's type, but it need not be in range or in the code list. */
function filterValue(field: Field, value: Value): Value {
  let reader = readers.get(field);
  if (reader === undefined) {
    const { type, scale, title, ref, name, classification } = field;
    reader = valueReader({ ref, name, title, type, classification, required: true, ...(scale === undefined ? {} : { scale }) }, 'ndjson');
    readers.set(field, reader);
  }
  const isText = field.type === 'text' || field.type === 'code';
  const read = isText ? (typeof value === 'string' && value.length <= 10_000 && isStorableText(value) ? value : undefined) : reader(value);
  if (read === undefined || read === null || read instanceof Fault) {
    throw new VeilgateError('QUERY_INVALID', 'A filter compares with a value that is not of its field\'s type.', { field: field.ref });
  }
  return read;
}

function direction(asked: string): 'asc' | 'desc' {
  if (asked !== 'asc' && asked !== 'desc') throw new VeilgateError('QUERY_INVALID', 'Sort in direction asc or desc.');
  return asked;
}

function rowLimit(limit: number | undefined): number {
  if (limit === undefined) return rowsDefault;
  if (!Number.isInteger(limit) || limit < 1 || limit > rowsMax) throw new VeilgateError('QUERY_INVALID', `Ask for 1 to ${rowsMax} rows of a dataset.`);
  return limit;
}

function notPermitted(): VeilgateError {
  return new VeilgateError('QUERY_FILTER_NOT_PERMITTED', 'Rows can be filtered and sorted only by fields this query may read: drop the filter or get consent for its field.');
}
