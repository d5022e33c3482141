import { exploreLog, pageMax, type FactFilter, type FoundEntry } from '../../audit/explore.ts';
import { takeFacts } from '../../audit/take-facts.ts';
import type { TimeMs } from '../../vocabulary.ts';
import { ok, route, type JsonObject, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { integer, list, nullable, object, oneOf, text } from '../schema/words.ts';
import type { Services } from './services.ts';

const index = (description: string) => integer(0, Number.MAX_SAFE_INTEGER, description);
const outcome = oneOf(['released', 'refused']);
/** Kinds separated by commas. */
const kinds = { type: 'string', pattern: '^[a-z_]+\\.[a-z_]+(,[a-z_]+\\.[a-z_]+){0,19}$', maxLength: 800, description: 'Kinds of entries, separated by commas.', examples: ['query.refused,score.refused'] } as const;
const code = { type: 'string', pattern: '^[A-Z][A-Z_]{0,63}$', maxLength: 64, description: 'Error code of a refusal.', examples: ['CONSENT_REQUIRED'] } as const;

const filter = object({
  from: named('Time'), until: named('Time'), first: index('First index, inclusive.'), last: index('Last index, inclusive.'), kinds, actor: named('PartyId'), institution: named('PartyId'),
  purpose: named('PurposeCode'), outcome, code, policy: named('PolicyVersion'), dataset: named('DatasetId'), before: index('Index the page before ended with.'), limit: integer(1, pageMax),
}, { optional: ['from', 'until', 'first', 'last', 'kinds', 'actor', 'institution', 'purpose', 'outcome', 'code', 'policy', 'dataset', 'before', 'limit'] });

/** What an entry is about, as it is listed. */
export const foundEntrySchema = object({
  index: index('Place in the log.'), at: named('Time'), kind: text(64), actor: named('PartyId'), institution: nullable(named('PartyId')),
  subject: nullable({ ...text(64), description: 'Stands for the enterprise; null when it is about none, or erased.' }), purpose: nullable(named('PurposeCode')), outcome: nullable(outcome), code: nullable(code),
  policy: nullable(named('PolicyVersion')), datasets: list(named('DatasetId'), 1000), erased: { type: 'boolean' },
});

type Asked = Omit<FactFilter, 'kinds' | 'fromMs' | 'untilMs'> & { readonly from?: string; readonly until?: string; readonly kinds?: string; readonly before?: number; readonly limit?: number };

/** Rounds of entries whose facts are taken while somebody waits; housekeeping has taken all but the newest. */
const roundsMax = 10;

/** The log by what its entries are about, for auditors. */
export function logEntryRoutes({ database, pseudonymOf }: Pick<Services, 'database' | 'pseudonymOf'>): readonly Route[] {
  return [
    route<{ query: Asked }>({
      method: 'GET', path: '/v1/log/entries', operationId: 'listEntries', tag: 'Log', access: 'party', scopes: ['audit'],
      summary: 'Entries of the log by what they are about, newest first',
      description: `Enterprises stand as pseudonyms; one entry with its record is at /v1/log/entries/{index}.\n\nA page looks at a limited number of entries, so it may hold few or none before the end: go on with \`before\` while \`next\` is not null.`,
      request: { query: filter },
      responses: {
        200: {
          description: 'A page.',
          schema: object({ entries: list(foundEntrySchema, pageMax), next: nullable(index('`before` of the next page; null at the end.')), behind: index('Newest entries that cannot be found yet.') }),
        },
      },
      errors: ['AUDIT_RANGE_INVALID'],
      examples: { cli: 'veilgate audit entries --outcome refused --institution bank-a' },
      handler: async ({ query }) => {
        const { from, until, kinds: named, before, limit, ...facts } = query;
        const behind = await takeFacts(database, roundsMax);
        const { entries, next } = await exploreLog(database, {
          ...facts, ...(named === undefined ? {} : { kinds: named.split(',') }), ...(from === undefined ? {} : { fromMs: Date.parse(from) as TimeMs }), ...(until === undefined ? {} : { untilMs: Date.parse(until) as TimeMs }),
        }, { ...(before === undefined ? {} : { before }), limit: limit ?? 100 });
        return ok({ entries: entries.map((entry) => foundEntryJson(entry, pseudonymOf)), next, behind });
      },
    }),
  ];
}

/** An entry with the enterprise's pseudonym in place of its code. */
export function foundEntryJson({ subject, ...entry }: FoundEntry, pseudonymOf: Services['pseudonymOf']): JsonObject {
  return { ...entry, subject: subject === null ? null : pseudonymOf(subject) };
}
