import { useCallback, useMemo, useSyncExternalStore } from 'react';
import type { PolicyEdit, PolicyUse } from '../../sdk/policy-cells.ts';
import { useSession } from '../shell/session.tsx';

/** A change that somebody has in mind: it survives reloads in this tab, and goes nowhere before it is proposed. */
export type Draft = {
  /** Number of the version it changes; null while there are no edits. */
  readonly basis: number | null;
  readonly edits: readonly PolicyEdit[];
  readonly comment: string;
  /** First day on which it is to hold, `YYYY-MM-DD`; empty: as soon as it is approved. */
  readonly effectiveOn: string;
  /** Expectations about the edited cells are to follow. */
  readonly adjustTests: boolean;
  /** Names the proposal towards the gateway: sent twice it is one. */
  readonly key: string;
};

const none: Draft = { basis: null, edits: [], comment: '', effectiveOn: '', adjustTests: false, key: '' };
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

/** The draft of whoever is signed in. */
export function useDraft() {
  const name = `veilgate.draft.${useSession().account}`;
  const draft = useSyncExternalStore(subscribe, () => read(name));
  const write = useCallback((next: Draft) => {
    sessionStorage.setItem(name, JSON.stringify(next));
    for (const listener of listeners) listener();
  }, [name]);
  return useMemo(() => ({
    draft,
    /** Later edits of the same cells take the place of earlier ones. */
    add: (edit: PolicyEdit, basis: number) => write({ ...draft, basis: draft.basis ?? basis, edits: [...draft.edits.filter((each) => !sameCell(each, edit)), edit], key: crypto.randomUUID() }),
    remove: (edit: PolicyEdit) => {
      const edits = draft.edits.filter((each) => each !== edit);
      write(edits.length === 0 ? { ...draft, basis: null, edits, key: '' } : { ...draft, edits, key: crypto.randomUUID() });
    },
    change: (part: Partial<Pick<Draft, 'comment' | 'effectiveOn' | 'adjustTests' | 'basis'>>) => write({ ...draft, ...part, key: crypto.randomUUID() }),
    clear: () => write(none),
  }), [draft, write]);
}

/** The last edit of a cell, if the draft has one. */
export function editOf(draft: Draft, field: string, use: PolicyUse, purpose: string, institutionClass: string): PolicyEdit | undefined {
  return draft.edits.findLast((edit) => edit.field === field && edit.use === use && edit.purposes.includes(purpose) && edit.institution_classes.includes(institutionClass));
}
