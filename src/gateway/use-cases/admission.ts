import { admitGrants, type GrantLookup } from '../../consent/admit.ts';
import { VeilgateError } from '../../errors.ts';
import { admitCallers, type AdmittedCaller } from '../../identity/admit.ts';
import type { IdentifiedRequest } from '../../identity/identify.ts';
import type { Clock } from '../../clock.ts';
import { disputedFields } from '../../objection/disputed.ts';
import { batcher } from '../../store/batch.ts';
import type { Database } from '../../store/database.ts';
import type { FieldRef, Grant, GrantId, InstitutionId, PurposeCode, SubjectId } from '../../vocabulary.ts';

/** What a grant is looked up by: of a query, or of one score. */
export type Asked = { readonly subject: SubjectId; readonly purpose: PurposeCode; readonly grant?: GrantId };

export type AdmittedQuery = {
  readonly caller: AdmittedCaller;
  readonly grant: Grant | VeilgateError;
  /** Fields of the enterprise to which an accepted objection waits for its department; absent when there is none. */
  readonly disputed?: readonly FieldRef[];
};

export type Admissions = {
  /** Lets a caller in for anything but a query. Errors: those of admitCallers. */
  readonly caller: (request: IdentifiedRequest) => Promise<AdmittedCaller>;
  /** Lets a query, or the request for one score, in and finds its grant. Errors: those of admitCallers; what is wrong with the grant is a value. */
  readonly query: (request: IdentifiedRequest, query: Asked, spends: boolean) => Promise<AdmittedQuery>;
};

type Item = { readonly request: IdentifiedRequest; readonly query?: Asked; readonly countsAsQuery: boolean };
type Outcome = { readonly caller: AdmittedCaller; readonly grant?: Grant | VeilgateError; readonly disputed?: readonly FieldRef[] };

const batchMax = 128;
const waitingMax = 4096;
/** The one wait of a busy gateway: queries that are let in together travel together to the end. */
const everyMs = 10;
/** 20 ms is the longest wait: of 30 nothing was gained (docs/decisions/0298-processes-wait-longer-at-the-door.md). */
const waitsMax = 2;

const nothingDisputed: ReadonlyMap<SubjectId, readonly FieldRef[]> = new Map();

/**
 * The door: who calls and what for, looked up for all requests that arrive together.
 * @param processes of this node that answer requests: the more share the queries, the longer each waits for company, so
 *   that batches stay as large as with one
 */
export function createAdmissions(database: Database, clock: Clock, processes: number, onBatch: (items: number) => void): Admissions {
  const admit = batcher<Item, Outcome>(
    async (items) => {
      onBatch(items.length);
      const nowMs = clock.nowMs();
      const asking = items.filter(isAsking);
      const [callers, grants, disputed] = await Promise.all([
        admitCallers(database, items, nowMs),
        asking.length === 0 ? [] : admitGrants(database, asking.map((item) => lookup(item, nowMs))),
        // beside the others, so that nobody waits longer for it
        asking.length === 0 ? nothingDisputed : disputedFields(database, asking.map(({ query }) => query.subject)),
      ]);
      const grantOf = new Map(asking.map((item, at) => [item as Item, grants[at]]));
      return items.map((item, at): Outcome | VeilgateError => {
        const caller = callers[at] as AdmittedCaller | VeilgateError;
        if (caller instanceof VeilgateError) return caller;
        const grant = grantOf.get(item);
        const fields = item.query === undefined ? undefined : disputed.get(item.query.subject);
        return { caller, ...(grant === undefined ? {} : { grant }), ...(fields === undefined ? {} : { disputed: fields }) };
      });
    },
    { maxItems: batchMax, maxWaiting: waitingMax, concurrency: 1, everyMs: everyMs * Math.min(processes, waitsMax), onFull: () => new VeilgateError('REQUEST_OVERLOADED', 'The platform is at its limit: try again in a second.') },
  );
  return {
    caller: async (request) => (await admit({ request, countsAsQuery: false })).caller,
    async query(request, query, spends) {
      const { grant, ...admitted } = await admit({ request, query, countsAsQuery: spends });
      if (grant === undefined) throw new VeilgateError('INTERNAL', 'The query was not looked up: report this to the platform.');
      return { ...admitted, grant };
    },
  };
}

function isAsking(item: Item): item is Item & { readonly query: Asked } {
  return item.query !== undefined;
}

/** A token that came with a grant is good for that grant alone. */
function lookup({ request, query }: Item & { readonly query: Asked }, atMs: GrantLookup['atMs']): GrantLookup {
  const grant = request.grant ?? query.grant;
  return { institution: request.party as InstitutionId, subject: query.subject, purpose: query.purpose, atMs, ...(grant === undefined ? {} : { grant }) };
}
