import type { Decision, FieldDecision } from '../vocabulary.ts';

/** Decisions are a tree by their fields' decisions; beyond so many branches it is begun anew. */
const branchesMax = 50_000;

type Branch = { readonly next: Map<FieldDecision, Branch>; decision: Decision | undefined };

/**
 * Makes equal decisions one frozen object, so that what follows from a decision (its digest, the columns it opens, the
 * way each value is treated) need be worked out once and not in every query. One for each policy.
 */
export class KnownDecisions {
  readonly #roots = new Map<string, Branch>();
  #branches = 0;

  /**
   * @param head what the decision says besides its fields
   * @param fields decisions of a compiled policy: frozen, and the same object whenever they are equal
   */
  of(head: Omit<Decision, 'fields'>, fields: readonly FieldDecision[]): Decision {
    if (this.#branches > branchesMax) {
      this.#roots.clear();
      this.#branches = 0;
    }
    const name = `${head.purpose} ${head.institutionClass}`;
    let branch = this.#grown(this.#roots, name);
    for (const field of fields) branch = this.#grown(branch.next, field);
    return branch.decision ??= Object.freeze({ ...head, fields: Object.freeze([...fields]) });
  }

  #grown<Key>(branches: Map<Key, Branch>, key: Key): Branch {
    let branch = branches.get(key);
    if (branch === undefined) {
      this.#branches += 1;
      branches.set(key, branch = { next: new Map(), decision: undefined });
    }
    return branch;
  }
}
