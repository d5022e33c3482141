import type { Catalogue } from '../vocabulary.ts';
import { decidingRules, mayOpen } from './cell.ts';
import { pointerOf, type PolicyDocument } from './document.ts';
import type { Problem } from './problem.ts';
import type { Purposes } from './purpose.ts';
import { consentTiers, uses, type Rule } from './rule.ts';
import type { Table } from './table.ts';

/** What loads but is hardly meant: said by `policy check`, never a reason to refuse. */
export function packWarnings(table: Table, catalogue: Catalogue, purposes: Purposes, rules: readonly Rule[], purposesDocument: PolicyDocument, rulesDocuments: readonly PolicyDocument[]): Problem[] {
  const byFile = new Map(rulesDocuments.map((document) => [document.file, document]));
  const warnings: Problem[] = [];
  const deciding = new Set<string>();
  const unopened = new Map<string, string[]>();
  for (const [purpose, byClass] of table) {
    for (const field of purposes.purposes.get(purpose)?.caps.fields ?? []) {
      let opened = false;
      for (const rows of byClass.values()) {
        const row = rows.get(field);
        if (row === undefined) continue;
        for (const use of uses) {
          for (const id of decidingRules(row[use])) deciding.add(id);
          opened ||= consentTiers.some((tier) => mayOpen(row[use], tier));
        }
      }
      if (!opened) unopened.set(purpose, [...(unopened.get(purpose) ?? []), field]);
    }
  }
  for (const [purpose, fields] of unopened) {
    const some = fields.slice(0, 5).join(', ') + (fields.length > 5 ? ', …' : '');
    warnings.push(purposesDocument.problemAt(pointerOf('purposes', purpose, 'minimum'), `no rule opens ${fields.length} of these fields to anybody: ${some}`));
  }
  for (const rule of rules) {
    // a deny of what nobody opens is a safeguard, not a mistake
    if (rule.effect.kind === 'deny' || deciding.has(rule.id)) continue;
    const document = byFile.get(rule.path[0] as string);
    if (document !== undefined) warnings.push(document.problemAt(rule.pointer, `the rule "${rule.id}" never decides anything: its fields are outside the minimum of its purposes, or stricter rules always win`));
  }
  for (const dataset of catalogue.datasets.keys()) {
    if (!byFile.has(`rules/${dataset}.yaml`)) warnings.push({ file: `rules/${dataset}.yaml`, line: 1, column: 1, pointer: '', problem: `the dataset ${dataset} has no rules: everything in it is withheld` });
  }
  return warnings;
}
