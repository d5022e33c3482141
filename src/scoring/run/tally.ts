import { hash } from 'node:crypto';
import { canonicalJson } from '../../canonical.ts';
import { VeilgateError } from '../../errors.ts';
import { arrayParameter } from '../../store/array-parameter.ts';
import type { Sql, Statement, Tx } from '../../store/database.ts';
import type { InstitutionId, SubjectId } from '../../vocabulary.ts';
import type { Model } from '../protocol.ts';

/** A linear function of an enterprise's features, as an institution gets it: `id` is a digest of its terms. */
export type Functional = { readonly id: string; readonly terms: Model['terms'] };

/** What one model tells: its score and its reason groups. */
export type FunctionalSet = { readonly digest: string; readonly functionals: readonly Functional[] };

/** Scores about to be released: to whom, about whom, under which model. */
export type TallyUse = { readonly institution: InstitutionId; readonly subject: SubjectId; readonly set: FunctionalSet };

/** True when one institution may know all of these about one enterprise. */
export type JudgeFunctionals = (functionals: readonly Functional[]) => boolean;

/** Uses that were decided under lock; `statements` make it last. */
export type LockedTallies = {
  /** Why this score may not be released to this institution, with all it got before; counts nothing. */
  readonly refusal: (use: TallyUse) => VeilgateError | undefined;
  /** Counts a use that `refusal` let pass: the next one in the batch is judged with it. */
  readonly count: (use: TallyUse) => void;
  /** What writes all that was counted, and takes back what was locked for a use that was not: to be sent whatever was decided. */
  readonly statements: () => readonly Statement[];
};

export type Tallies = {
  /**
   * Reads what each pair was told already and locks the pairs that a use would tell something new, in order of
   * institution and subject. Locks taken in a transaction, for all who release: grants, then tallies, then counters,
   * then the log. At most `usesPerBatchMax`.
   */
  readonly lock: (tx: Tx, uses: readonly TallyUse[]) => Promise<LockedTallies>;
  /** The same decision without a lock, for questions before anything is spent: in order, what stands against each. */
  readonly preview: (sql: Sql, uses: readonly TallyUse[]) => Promise<readonly { readonly obtained: readonly Functional[]; readonly refusal: VeilgateError | undefined }[]>;
};

/** Pairs one call takes at most: a block. */
export const usesPerBatchMax = 8192;
/** Models that may ever tell one institution something of one enterprise, whatever they tell; what its row has room for. */
const setsMax = 64;
/** Verdicts kept: as many combinations of models as are in use. */
const verdictsMax = 4096;

/** A model's functions under one name. The order of functions means nothing. */
export function functionalSet(functionals: readonly Functional[]): FunctionalSet {
  const ordered = functionals.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  return { digest: hash('sha256', ordered.map(({ id }) => id).join('\n'), 'hex'), functionals: ordered };
}

/**
 * Guards what many scores tell together: all functions an institution ever got of an enterprise are judged with those
 * it is about to get. Sets never change, so what was read of them is kept.
 * @param judgeApart the same where it keeps nobody waiting: judging takes tenths of a second. What `preview` looked at with
 *   it needs no judging under lock.
 */
export function createTallies(judge: JudgeFunctionals, judgeApart: (functionals: readonly Functional[]) => Promise<boolean> = async (functionals) => judge(functionals)): Tallies {
  const known = new Map<string, readonly Functional[]>();
  const verdicts = new Map<string, boolean>();
  const judging = new Map<string, Promise<void>>();

  const functionalsOf = async (sql: Sql, digests: Iterable<string>): Promise<void> => {
    const missing = [...new Set(digests)].filter((digest) => !known.has(digest));
    if (missing.length === 0) return;
    const { rows } = await sql.query<{ digest: string; functionals: string }>({
      name: 'scoring functional sets', text: 'select digest, functionals from scoring_functional_set where digest = any($1::text[])', values: [missing],
    });
    for (const { digest, functionals } of rows) known.set(digest, JSON.parse(functionals) as readonly Functional[]);
  };

  const united = (sets: readonly string[]): readonly Functional[] => {
    const byId = new Map<string, Functional>();
    for (const digest of sets) for (const one of known.get(digest) ?? fail()) byId.set(one.id, one);
    return [...byId.values()];
  };

  const nameOf = (sets: readonly string[]) => sets.toSorted().join();
  const remember = (name: string, verdict: boolean) => {
    if (verdicts.size >= verdictsMax) verdicts.clear();
    verdicts.set(name, verdict);
    return verdict;
  };
  const permitted = (sets: readonly string[]): boolean => verdicts.get(nameOf(sets)) ?? remember(nameOf(sets), judge(united(sets)));

  /** Judges what is new, once for all who ask meanwhile. */
  const permittedSoon = async (sets: readonly string[], { set }: TallyUse): Promise<void> => {
    known.set(set.digest, set.functionals);
    if (sets.includes(set.digest) || sets.length >= setsMax) return;
    const all = [...sets, set.digest];
    const name = nameOf(all);
    if (verdicts.has(name)) return;
    const asked = judging.get(name) ?? judgeApart(united(all)).then((verdict) => { remember(name, verdict); }).finally(() => { judging.delete(name); });
    judging.set(name, asked);
    await asked;
  };

  const refusalOf = (sets: readonly string[] | undefined, { set }: TallyUse): VeilgateError | undefined => {
    known.set(set.digest, set.functionals);
    if (sets === undefined) throw new VeilgateError('INTERNAL', 'A score was not locked before its release: report this to the platform.');
    return sets.includes(set.digest) || (sets.length < setsMax && permitted([...sets, set.digest])) ? undefined : limitReached();
  };

  return {
    async lock(tx, uses) {
      if (uses.length > usesPerBatchMax) throw new VeilgateError('REQUEST_TOO_LARGE', `At most ${usesPerBatchMax} scores are released at once: split the batch.`);
      const tallies = await readTallies(tx, uses);
      const growing = new Map<string, TallyUse>(uses.filter((use) => tallies.get(keyOf(use))?.includes(use.set.digest) !== true).map((use) => [keyOf(use), use]));
      const stored = await lockTallies(tx, [...growing.values()]);
      for (const [key, { before }] of stored) tallies.set(key, before);
      await functionalsOf(tx, [...tallies.values()].flat());
      const written = new Map<string, FunctionalSet>();
      return {
        refusal: (use) => refusalOf(tallies.get(keyOf(use)), use),
        count(use) {
          const sets = tallies.get(keyOf(use)) ?? [];
          if (sets.includes(use.set.digest)) return;
          tallies.set(keyOf(use), [...sets, use.set.digest]);
          written.set(use.set.digest, use.set);
        },
        statements() {
          const changed = [...stored].flatMap(([key, { now }]) => {
            const sets = tallies.get(key) ?? [];
            return sets.join() === now.join() ? [] : [{ use: growing.get(key) as TallyUse, sets }];
          });
          return [...writingSets([...written.values()]), ...writingTallies(changed)];
        },
      };
    },

    async preview(sql, uses) {
      const tallies = await readTallies(sql, uses);
      await functionalsOf(sql, [...tallies.values()].flat());
      await Promise.all(uses.map((use) => permittedSoon(tallies.get(keyOf(use)) ?? [], use)));
      return uses.map((use) => {
        const sets = tallies.get(keyOf(use)) ?? [];
        return { obtained: united(sets), refusal: refusalOf(sets, use) };
      });
    },
  };
}

const keyOf = ({ institution, subject }: { readonly institution: string; readonly subject: string }) => `${institution} ${subject}`;

/** `sets` joined by commas: arrays are read one character at a time, and thousands of rows say the same. */
type Row = { readonly institution: string; readonly subject: string; readonly sets: string };

async function readTallies(sql: Sql, uses: readonly TallyUse[]): Promise<Map<string, readonly string[]>> {
  if (uses.length === 0) return new Map();
  const { rows } = await sql.query<Row>({
    name: 'scoring read tallies',
    text: `select t.institution, t.subject, array_to_string(t.sets, ',') as sets from unnest($1::text[], $2::text[]) as w (institution, subject) join scoring_tally t using (institution, subject)`,
    values: pairsOf(uses),
  });
  return tallyMap(rows);
}

/** What a pair was told before this transaction, and what its row says now. */
type Stored = { readonly before: readonly string[]; readonly now: readonly string[] };

/**
 * Makes rows and locks those that were there. A new row says at once what it is made for, so that it is written once;
 * `statements` takes back what was not released after all. The second statement sees what others committed while the
 * first waited for them.
 */
async function lockTallies(tx: Tx, uses: readonly TallyUse[]): Promise<Map<string, Stored>> {
  if (uses.length === 0) return new Map();
  const { rows: made } = await tx.query<Row>({
    name: 'scoring make tallies',
    text: `insert into scoring_tally (institution, subject, sets)
           select w.institution, w.subject, array[w.digest] from unnest($1::text[], $2::text[], $3::text[]) as w (institution, subject, digest)
           order by 1, 2 on conflict do nothing returning institution, subject, array_to_string(sets, ',') as sets`,
    values: [...pairsOf(uses), arrayParameter(uses.map(({ set }) => set.digest))],
  });
  const stored = new Map<string, Stored>([...tallyMap(made)].map(([key, sets]) => [key, { before: [], now: sets }]));
  const others = uses.filter((use) => !stored.has(keyOf(use)));
  if (others.length === 0) return stored;
  const { rows: found } = await tx.query<Row>({
    name: 'scoring lock tallies',
    text: `select t.institution, t.subject, array_to_string(t.sets, ',') as sets from scoring_tally t
           where (t.institution, t.subject) in (select institution, subject from unnest($1::text[], $2::text[]) as w (institution, subject))
           order by t.institution, t.subject for no key update of t`,
    values: pairsOf(others),
  });
  for (const [key, sets] of tallyMap(found)) stored.set(key, { before: sets, now: sets });
  return stored;
}

function pairsOf(uses: readonly TallyUse[]): [string, string] {
  return [arrayParameter(uses.map(({ institution }) => institution)), arrayParameter(uses.map(({ subject }) => subject))];
}

function writingSets(sets: readonly FunctionalSet[]): readonly Statement[] {
  if (sets.length === 0) return [];
  const ordered = sets.toSorted((one, other) => (one.digest < other.digest ? -1 : 1));
  return [{
    name: 'scoring write functional sets',
    text: 'insert into scoring_functional_set (digest, functionals) select * from unnest($1::text[], $2::text[]) on conflict do nothing',
    values: [ordered.map(({ digest }) => digest), ordered.map(({ functionals }) => canonicalJson(functionals))],
  }];
}

function writingTallies(changed: readonly { readonly use: TallyUse; readonly sets: readonly string[] }[]): readonly Statement[] {
  if (changed.length === 0) return [];
  return [{
    name: 'scoring write tallies',
    text: `update scoring_tally t set sets = string_to_array(w.sets, ',')
           from unnest($1::text[], $2::text[], $3::text[]) as w (institution, subject, sets)
           where (t.institution, t.subject) = (w.institution, w.subject)`,
    values: [...pairsOf(changed.map(({ use }) => use)), changed.map(({ sets }) => sets.join(','))],
  }];
}

function tallyMap(rows: readonly Row[]): Map<string, readonly string[]> {
  const read = new Map<string, readonly string[]>();
  const listed = (text: string) => {
    const sets = read.get(text) ?? (text === '' ? [] : text.split(','));
    read.set(text, sets);
    return sets;
  };
  return new Map(rows.map((row) => [keyOf(row), listed(row.sets)]));
}

function limitReached(): VeilgateError {
  return new VeilgateError('SCORE_LIMIT_REACHED', 'With the scores you already have of this enterprise, this one would tell too much about a single feature: keep to the models you used before.');
}

function fail(): never {
  throw new VeilgateError('INTERNAL', 'The platform has lost what it once released: report this to the platform.');
}
