import { watch, type FSWatcher } from 'node:fs';
import { isVeilgateError } from '../errors.ts';
import type { PolicyVersion } from '../vocabulary.ts';
import type { CompiledPolicy } from './policy.ts';
import type { Problem } from './problem.ts';

export type ReloadReport =
  | { readonly outcome: 'unchanged'; readonly version: PolicyVersion }
  | { readonly outcome: 'replaced'; readonly version: PolicyVersion; readonly before: PolicyVersion }
  /** The old policy stays in force. */
  | { readonly outcome: 'kept'; readonly version: PolicyVersion; readonly problems: readonly Problem[]; readonly message: string };

/** Holds the policy in force. One request must take `current()` once and use it throughout. */
export class PolicyHolder {
  readonly #load: () => CompiledPolicy;
  #current: CompiledPolicy;

  /** @param load for example `() => loadPolicyPack(folder, catalogue)`; the first load must succeed (POLICY_BROKEN) */
  constructor(load: () => CompiledPolicy) {
    this.#load = load;
    this.#current = load();
  }

  current(): CompiledPolicy {
    return this.#current;
  }

  /** Replaces the policy all at once, or keeps the old one and says exactly what is broken. Never throws. */
  reload(): ReloadReport {
    const before = this.#current.version;
    try {
      const next = this.#load();
      if (next.version === before) return { outcome: 'unchanged', version: before };
      this.#current = next;
      return { outcome: 'replaced', version: next.version, before };
    } catch (error) {
      const broken = isVeilgateError(error, 'POLICY_BROKEN');
      return {
        outcome: 'kept',
        version: before,
        problems: broken ? ((error.detail?.['problems'] ?? []) as readonly Problem[]) : [],
        message: broken ? error.message : 'The policy could not be read; the one before stays in force.',
      };
    }
  }
}

/**
 * Reloads when files of the pack change and have then been still for `settleMs`: an editor that is still writing
 * must not put half a rule file into force.
 * @param report called after each reload that changed or refused something
 * @returns stops watching
 */
export function watchPolicy(holder: PolicyHolder, folder: string, report: (report: ReloadReport) => void, settleMs = 300): () => void {
  let timer: NodeJS.Timeout | undefined;
  const onChange = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const outcome = holder.reload();
      if (outcome.outcome !== 'unchanged') report(outcome);
    }, settleMs);
    timer.unref();
  };
  const watcher: FSWatcher = watch(folder, { recursive: true, persistent: false }, onChange);
  watcher.on('error', () => {}); // the folder went away: the policy in force stays
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}
