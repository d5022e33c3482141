import type { AuditRecord, FieldOutcome } from '../../audit/entry.ts';
import type { EntryView } from '../../sdk/auditor.ts';
import type { Disposition } from '../../vocabulary.ts';

/** What the pages need of a log entry, whatever kind it is of. */
export type EntryFacts = {
  readonly index: number;
  readonly kind: string;
  readonly at: string;
  readonly actor: string;
  readonly institution: string | null;
  readonly erased: boolean;
  readonly purpose: string | undefined;
  readonly grant: string | undefined;
  readonly policy: string | undefined;
  readonly model: string | undefined;
  /** Error code of a refusal. */
  readonly code: string | undefined;
  readonly outcomes: readonly FieldOutcome[];
  readonly rows: readonly { readonly dataset: string; readonly rows: number }[];
  readonly disputed: readonly string[];
  /** An access of an institution, which the enterprise may object to. */
  readonly isAccess: boolean;
};

/** Of a list, as one of a score among many, the record names nobody: it has no outcomes of single fields. */
const accessKinds: ReadonlySet<string> = new Set<AuditRecord['kind']>(['query.released', 'query.refused', 'score.released', 'score.refused', 'scores.released']);

export function factsOf({ index, kind, at, actor, institution, record: served, disputed: beside }: EntryView): EntryFacts {
  // the gateway wrote the record itself: a kind that is not known here has other members, and is shown without them
  const record = served as Partial<Record<Member, unknown>> | null;
  const text = (name: Member) => (typeof record?.[name] === 'string' ? record[name] : undefined);
  const many = <Item>(name: Member) => (Array.isArray(record?.[name]) ? record[name] as readonly Item[] : []);
  return {
    index, kind, at, actor, institution, erased: record === null,
    purpose: text('purpose'), grant: text('grant'), policy: text('policy'), model: text('model'), code: text('code'),
    outcomes: many<FieldOutcome>('outcomes'), rows: many<EntryFacts['rows'][number]>('rows'), disputed: beside ?? many<string>('disputed'),
    isAccess: accessKinds.has(kind),
  };
}

type Member = 'purpose' | 'grant' | 'policy' | 'model' | 'code' | 'outcomes' | 'rows' | 'disputed';

export type OutcomeCounts = { readonly original: number; readonly desensitised: number; readonly compared: number; readonly withheld: number };

const groups: Readonly<Record<Disposition, keyof OutcomeCounts>> = {
  clear: 'original', mask: 'desensitised', band: 'desensitised', token: 'desensitised', verify: 'compared', score: 'compared', aggregate: 'compared', withhold: 'withheld',
};

/** How many fields were treated how. */
export function countOutcomes(outcomes: readonly FieldOutcome[]): OutcomeCounts {
  const counts = { original: 0, desensitised: 0, compared: 0, withheld: 0 };
  for (const { disposition, fields } of outcomes) counts[groups[disposition]] += fields.length;
  return counts;
}
