import { parseDocument } from 'yaml';
import type { Catalogue } from '../../vocabulary.ts';
import type { CompiledPolicy } from '../policy.ts';
import { changedPack, compilePack, type Pack } from '../store/pack.ts';
import type { PurposesText } from '../text.ts';
import { editPack, type EditedPack } from './apply.ts';
import type { CellEdit } from './cell-edit.ts';
import { editedPurposes, type FactEdit, type PurposeEdit } from './purpose-edit.ts';
import { withValue } from './yaml-value.ts';

/** Everything an officer may change: purposes and facts first, then cells, which may lie in fields that a minimum has only now. */
export type PolicyEdits = { readonly cells: readonly CellEdit[]; readonly purposes: readonly PurposeEdit[]; readonly facts: readonly FactEdit[] };

const file = 'purposes.yaml';

/**
 * The pack that the edits ask for, and nothing else changed in it.
 * @param policy the pack, compiled
 * Errors: REQUEST_INVALID for what there is not, POLICY_BROKEN for what no policy may say.
 */
export function editPolicy(pack: Pack, policy: CompiledPolicy, catalogue: Catalogue, { cells, purposes, facts }: PolicyEdits): EditedPack {
  const first = editPurposes(pack, policy, catalogue, purposes, facts);
  const second = editPack(first.pack, first.policy, catalogue, cells);
  return { ...second, changes: { ...first.changes, ...second.changes } };
}

function editPurposes(pack: Pack, policy: CompiledPolicy, catalogue: Catalogue, purposes: readonly PurposeEdit[], facts: readonly FactEdit[]): EditedPack {
  if (purposes.length === 0 && facts.length === 0) return { pack, policy, changes: {} };
  const text = pack[file] ?? '';
  const wanted = editedPurposes(parseDocument(text).toJS() as PurposesText, purposes, facts, [...catalogue.fields.keys()]);
  const after = withValue(text, wanted);
  const changes = after === text ? {} : { [file]: after };
  const edited = changedPack(pack, changes);
  const compiled = compilePack(edited, catalogue);
  requireMinimums(policy, compiled, purposes);
  return { pack: edited, policy: compiled, changes };
}

/** Minimums are judged by the fields they stand for, not by how they are written. Throws a TypeError: nothing of it must reach a proposal. */
function requireMinimums(before: CompiledPolicy, after: CompiledPolicy, edits: readonly PurposeEdit[]): void {
  for (const { code, caps } of after.purposes.values()) {
    const expected = new Set<string>(before.purposes.get(code)?.caps.fields);
    for (const { minimum } of edits.filter(({ purpose }) => purpose === code)) {
      for (const field of minimum?.add ?? []) expected.add(field);
      for (const field of minimum?.remove ?? []) expected.delete(field);
    }
    const isAsAsked = expected.size === caps.fields.size && [...caps.fields].every((field) => expected.has(field));
    if (!isAsAsked) throw new TypeError(`an edit of the minimum of ${code} did not do what it said`);
  }
}
