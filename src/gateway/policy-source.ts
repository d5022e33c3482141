import type { Clock } from '../clock.ts';
import { policyIndex } from '../audit/append.ts';
import { isVeilgateError } from '../errors.ts';
import { PolicyHolder, watchPolicy, type ReloadReport } from '../policy/holder.ts';
import { loadPolicyPack } from '../policy/load.ts';
import { compilePack, readPack, type Pack } from '../policy/store/pack.ts';
import { readVersion } from '../policy/store/registry.ts';
import { policyMarks, type PolicyMarks } from '../policy/store/marks.ts';
import { holdingWithholds } from '../policy/store/withholds.ts';
import type { Closing } from '../policy/store/withhold-rules.ts';
import type { Database } from '../store/database.ts';
import type { Catalogue } from '../vocabulary.ts';
import type { Config } from './config.ts';
import { unloggedStanding, type PolicyStanding } from './use-cases/policy-standing.ts';
import { enforceDue, ensureFirst } from './use-cases/policy-versions.ts';

/** Where a process gets its policy from, and how it hears of the next one. */
export type PolicySource = {
  readonly holder: PolicyHolder;
  /** @param report called after each reload that changed or refused something. @returns stops watching */
  readonly watch: (report: (report: ReloadReport) => void) => () => void;
  /** What `holder` holds, for those who decide by it. */
  readonly standing: PolicyStanding;
};

/** How often every process looks whether another version is in force or something was withheld. */
const policyPollMs = 250;

/**
 * The policy of a folder whose files may change, or of the versions in the database; there an empty one takes the
 * folder's pack as its first. Errors: POLICY_BROKEN, STORE_UNAVAILABLE.
 */
export async function openPolicySource(config: Pick<Config, 'policySource' | 'policyFolder'>, database: Database, catalogue: Catalogue, clock: Clock): Promise<PolicySource> {
  const folder = config.policyFolder;
  if (config.policySource === 'database') return storedSource(folder, database, catalogue, clock);
  const holder = new PolicyHolder(() => loadPolicyPack(folder, catalogue));
  return { holder, watch: (report) => watchPolicy(holder, folder, report), standing: unloggedStanding(() => holder.current()) };
}

type Stored = { /** The log's last entry that changed what follows. */ readonly index: number; readonly marks: PolicyMarks; readonly pack: Pack; readonly closings: readonly Closing[] };

async function storedSource(folder: string, database: Database, catalogue: Catalogue, clock: Clock): Promise<PolicySource> {
  const desk = { database, catalogue, clock };
  await ensureFirst(desk, () => readPack(folder));
  await enforceDue(desk).catch(unlessBroken);
  let stored = await readStored(database, clock);
  const holder = new PolicyHolder(() => compilePack(stored.pack, catalogue, stored.closings));
  let asOf = stored.index;
  let listener: (report: ReloadReport) => void = () => {};
  let brokenDue: number | null = null;

  const look = async () => {
    let [marks, index] = await Promise.all([policyMarks(database, clock.nowMs()), policyIndex(database)]);
    if (marks.due !== null && marks.due !== brokenDue) {
      await enforceDue(desk).catch((error: unknown) => {
        const problems = unlessBroken(error);
        brokenDue = marks.due; // said once; a restart with the right catalogue tries again
        listener({ outcome: 'kept', version: holder.current().version, problems, message: 'The approved version does not load; the one before stays in force.' });
      });
      [marks, index] = await Promise.all([policyMarks(database, clock.nowMs()), policyIndex(database)]);
    }
    if (index === stored.index && marks.inForce === stored.marks.inForce && marks.withholds === stored.marks.withholds) return;
    stored = await readStored(database, clock);
    const report = holder.reload();
    // one that does not load here stays unknown to this process: it releases nothing until one does
    if (report.outcome !== 'kept') asOf = stored.index;
    if (report.outcome !== 'unchanged') listener(report);
  };
  // one after the other, or an older look could end last
  let looking = Promise.resolve();
  let waiting: Promise<void> | undefined;
  // without the database nothing can be answered either: the policy stays, and the next look may succeed
  const follow = () => (waiting ??= looking = looking.then(() => {
    waiting = undefined; // it begins: who comes from now on may know more than it will see
    return look();
  }).catch(() => {}));
  return {
    holder,
    standing: { policy: () => holder.current(), asOf: () => asOf, follow },
    watch(report) {
      listener = report;
      let timer: NodeJS.Timeout | undefined;
      let stopped = false;
      const next = () => {
        if (!stopped) timer = setTimeout(() => void follow().then(next), policyPollMs).unref();
      };
      next();
      return () => {
        stopped = true;
        clearTimeout(timer);
      };
    },
  };
}

async function readStored(database: Database, clock: Clock): Promise<Stored> {
  return database.transaction('read policy', async (tx) => {
    await tx.query('set transaction isolation level repeatable read read only'); // version and withholds of one moment
    return { index: await policyIndex(tx), marks: await policyMarks(tx, clock.nowMs()), pack: (await readVersion(tx, 'in_force')).files, closings: await holdingWithholds(tx) };
  });
}

function unlessBroken(error: unknown): [] {
  if (!isVeilgateError(error, 'POLICY_BROKEN')) throw error;
  return [];
}
