import { useCallback, useMemo, useSyncExternalStore } from 'react';
import type { PolicyEdit, PolicyUse } from '../../sdk/policy-cells.ts';
import type { PolicyFactEdit, PolicyPurposeEdit } from '../../sdk/policy-purposes.ts';
import { useSession } from '../shell/session.tsx';

/** A change that somebody has in mind: it survives reloads in this tab, and goes nowhere before it is proposed. */
export type Draft = {
  /** Number of the version it changes; null while there are no edits. */
  readonly basis: number | null;
  readonly edits: readonly PolicyEdit[];
  /** One for each purpose, and one for each fact. */
  readonly purposes: readonly PolicyPurposeEdit[];
  readonly facts: readonly PolicyFactEdit[];
  readonly comment: string;
  /** First day on which it is to hold, `YYYY-MM-DD`; empty: as soon as it is approved. */
  readonly effectiveOn: string;
  /** Expectations about the edited cells are to follow. */
  readonly adjustTests: boolean;
  /** Names the proposal towards the gateway: sent twice it is one. */
  readonly key: string;
};

const none: Draft = { basis: null, edits: [], purposes: [], facts: [], comment: '', effectiveOn: '', adjustTests: false, key: '' };
const listeners = new Set<() => void>();
const parsed = new Map<string, { readonly text: string; readonly draft: Draft }>();

function read(name: string): Draft {
  const text = sessionStorage.getItem(name);
  if (text === null) return none;
  const known = parsed.get(name);
  if (known?.text === text) return known.draft;
  try {
    const draft = { ...none, ...(JSON.parse(text) as Partial<Draft>) };
    parsed.set(name, { text, draft });
    return draft;
  } catch {
    return none; // another program's text
  }
}

const sameCell = (a: PolicyEdit, b: PolicyEdit) => a.field === b.field && a.use === b.use && a.purposes.join() === b.purposes.join() && a.institution_classes.join() === b.institution_classes.join();
const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => { listeners.delete(listener); };
};

/** How many changes a draft holds. */
export function changesIn({ edits, purposes, facts }: Draft): number {
  return edits.length + purposes.length + facts.length;
}

/** The draft of whoever is signed in. */
export function useDraft() {
  const name = `veilgate.draft.${useSession().account}`;
  const draft = useSyncExternalStore(subscribe, () => read(name));
  const write = useCallback((next: Draft) => {
    sessionStorage.setItem(name, JSON.stringify(next));
    for (const listener of listeners) listener();
  }, [name]);
  return useMemo(() => {
    const put = (part: Partial<Pick<Draft, 'edits' | 'purposes' | 'facts'>>, basis: number) => write({ ...draft, ...part, basis: draft.basis ?? basis, key: crypto.randomUUID() });
    const take = (part: Partial<Pick<Draft, 'edits' | 'purposes' | 'facts'>>) => {
      const left = { ...draft, ...part };
      write(changesIn(left) === 0 ? { ...left, basis: null, key: '' } : { ...left, key: crypto.randomUUID() });
    };
    return {
      draft,
      /** Later edits of the same cells take the place of earlier ones. */
      add: (edit: PolicyEdit, basis: number) => put({ edits: [...draft.edits.filter((each) => !sameCell(each, edit)), edit] }, basis),
      remove: (edit: PolicyEdit) => take({ edits: draft.edits.filter((each) => each !== edit) }),
      setPurpose: (edit: PolicyPurposeEdit, basis: number) => put({ purposes: [...draft.purposes.filter(({ purpose }) => purpose !== edit.purpose), edit] }, basis),
      removePurpose: (code: string) => take({ purposes: draft.purposes.filter(({ purpose }) => purpose !== code) }),
      setFact: (edit: PolicyFactEdit, basis: number) => put({ facts: [...draft.facts.filter(({ fact }) => fact !== edit.fact), edit] }, basis),
      removeFact: (name: string) => take({ facts: draft.facts.filter(({ fact }) => fact !== name) }),
      change: (part: Partial<Pick<Draft, 'comment' | 'effectiveOn' | 'adjustTests' | 'basis'>>) => write({ ...draft, ...part, key: crypto.randomUUID() }),
      clear: () => write(none),
    };
  }, [draft, write]);
}

/** The last edit of a cell, if the draft has one. */
export function editOf(draft: Draft, field: string, use: PolicyUse, purpose: string, institutionClass: string): PolicyEdit | undefined {
  return draft.edits.findLast((edit) => edit.field === field && edit.use === use && edit.purposes.includes(purpose) && edit.institution_classes.includes(institutionClass));
}
