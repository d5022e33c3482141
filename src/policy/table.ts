import type { Catalogue, FieldRef, Use } from '../vocabulary.ts';
import { closedCell, mayOpen, openCell, withheld, type Cell } from './cell.ts';
import type { Purposes } from './purpose.ts';
import { concerns, consentTiers, uses, type Rule } from './rule.ts';

/** The cells of one field for one purpose and class, by use. */
export type Row = Readonly<Record<Use, Cell>>;

/** Purpose → institution class → field → cells. Every field of the catalogue is in it. */
export type Table = ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<FieldRef, Row>>>;

/**
 * Works out every cell once. A cell holds only the rules that match it, so the number of rules in the pack
 * does not matter to decisions; equal cells are one object.
 */
export function buildTable(catalogue: Catalogue, purposes: Purposes, rules: readonly Rule[]): Table {
  const table = new Map([...purposes.purposes.keys()].map((purpose) => [
    purpose, new Map([...purposes.institutionClasses.keys()].map((institutionClass) => [institutionClass, new Map<FieldRef, Row>()])),
  ]));
  const rulesByField = new Map<FieldRef, Rule[]>();
  for (const rule of rules) {
    for (const field of rule.fields) {
      const listed = rulesByField.get(field);
      if (listed === undefined) rulesByField.set(field, [rule]);
      else listed.push(rule);
    }
  }
  for (const field of catalogue.fields.keys()) {
    const rows = rowsOfField(field, purposes, rulesByField.get(field) ?? []);
    for (const [purpose, byClass] of rows) {
      for (const [institutionClass, row] of byClass) table.get(purpose)?.get(institutionClass)?.set(field, row);
    }
  }
  return table;
}

function rowsOfField(field: FieldRef, purposes: Purposes, rules: readonly Rule[]): Map<string, Map<string, Row>> {
  const rows = new Map<string, Map<string, Row>>();
  const cells = cellMaker(field, rules);
  const unavailable = rowOf((use) => closedCell(withheld(field, use, 'not_available')));
  const closed = rules.every((rule) => rule.effect.kind === 'deny');
  const openTo = new Set<string>();
  for (const [code, purpose] of purposes.purposes) {
    const needed = purpose.caps.fields.has(field);
    const notMinimum = rowOf((use) => closedCell(withheld(field, use, 'not_minimum_for_purpose', null, ['purposes.yaml', 'purposes', code, 'minimum'])));
    const byClass = new Map<string, Row>();
    for (const institutionClass of purposes.institutionClasses.keys()) {
      const row = closed ? unavailable : needed ? rowOf((use) => cells(use, code, institutionClass)) : notMinimum;
      byClass.set(institutionClass, row);
      if (!openTo.has(institutionClass) && uses.some((use) => consentTiers.some((tier) => mayOpen(row[use], tier)))) openTo.add(institutionClass);
    }
    rows.set(code, byClass);
  }
  // what is open to nobody of a class must look to it as if it did not exist
  for (const byClass of rows.values()) {
    for (const institutionClass of byClass.keys()) if (!openTo.has(institutionClass)) byClass.set(institutionClass, unavailable);
  }
  return rows;
}

function rowOf(cell: (use: Use) => Cell): Row {
  return { read: cell('read'), verify: cell('verify'), score: cell('score'), aggregate: cell('aggregate') };
}

/** Cells of one field, one object for each set of matching rules. */
function cellMaker(field: FieldRef, rules: readonly Rule[]): (use: Use, purpose: string, institutionClass: string) => Cell {
  const made = new Map<string, Cell>();
  const file = `rules/${field.slice(0, field.indexOf('.'))}.yaml`;
  const byUse = new Map(uses.map((use) => [use, rules.filter((rule) => concerns(rule, use))]));
  return (use, purpose, institutionClass) => {
    const matching = (byUse.get(use) ?? []).filter((rule) => rule.purposes.has(purpose) && rule.institutionClasses.has(institutionClass));
    const key = `${use} ${matching.map(({ id }) => id).join(' ')}`;
    let cell = made.get(key);
    if (cell === undefined) {
      cell = openCell(field, use, file, matching);
      made.set(key, cell);
    }
    return cell;
  };
}
