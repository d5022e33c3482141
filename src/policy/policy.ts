import { createHash } from 'node:crypto';
import { canonicalBytes } from '../canonical.ts';
import { VeilgateError } from '../errors.ts';
import type {
  Catalogue, ConsentState, Decision, Field, FieldDecision, FieldRef, InstitutionClass, PolicyVersion, PurposeCaps, PurposeCode, Use,
} from '../vocabulary.ts';
import { mayOpen, resolve, withheld, type Cell } from './cell.ts';
import type { Fact, Facts } from './facts.ts';
import { KnownDecisions } from './known-decisions.ts';
import type { Problem } from './problem.ts';
import type { InstitutionClassWords, Purpose, Purposes } from './purpose.ts';
import { consentTiers, uses, type Rule } from './rule.ts';
import { buildTable, type Row, type Table } from './table.ts';
import type { PurposesText } from './text.ts';

export type DecisionRequest = {
  readonly purpose: PurposeCode;
  readonly institutionClass: InstitutionClass;
  readonly asked: readonly { readonly field: FieldRef; readonly use: Use }[];
  /** How far the consent goes, by field; a field that is missing counts as `none`. null: there is no valid grant. */
  readonly consent: ReadonlyMap<FieldRef, ConsentState> | null;
  readonly facts: Facts;
};

/** A policy pack made ready for deciding. Immutable: a change of the pack makes a new one. */
export type CompiledPolicy = {
  readonly version: PolicyVersion;
  /** One decision for each field × use asked, in the order asked. Pure; equal decisions are one frozen object as a rule. Errors: POLICY_PURPOSE_UNKNOWN. */
  readonly decide: (request: DecisionRequest) => Decision;
  /** What a grant for the purpose may contain at most. Errors: POLICY_PURPOSE_UNKNOWN. */
  readonly caps: (purpose: PurposeCode) => PurposeCaps;
  /**
   * The caps for one institution class: `fields` holds only what some rule may open to it for the purpose, so that
   * a grant neither asks for more than can be used nor tells which hidden fields exist. undefined: no such purpose or class.
   */
  readonly capsFor: (purpose: PurposeCode, institutionClass: InstitutionClass) => PurposeCaps | undefined;
  /** Verification attempts for each subject × field × grant. Errors: POLICY_PURPOSE_UNKNOWN. */
  readonly verificationLimit: (purpose: PurposeCode) => number;
  readonly purposes: ReadonlyMap<string, Purpose>;
  readonly institutionClasses: ReadonlyMap<string, InstitutionClassWords>;
  /** Facts conditions ask about; those `from: 'caller'` may be stated in a query, without their `request.`. */
  readonly facts: ReadonlyMap<string, Fact>;
  readonly fields: ReadonlyMap<FieldRef, Field>;
  readonly rules: ReadonlyMap<string, Rule>;
  /** What is not wrong but hardly meant, such as a rule that never decides anything. */
  readonly warnings: readonly Problem[];
  /** For explain and diff: what stands behind a decision; undefined for what the policy does not know. */
  readonly cell: (purpose: string, institutionClass: string, field: FieldRef, use: Use) => Cell | undefined;
};

/** Puts checked parts together. Not for callers: use loadPolicyPack or compilePolicyPack. */
export function assemblePolicy(catalogue: Catalogue, purposes: Purposes, rules: readonly Rule[], purposesText: PurposesText, warnings: (table: Table) => readonly Problem[]): CompiledPolicy {
  const table = buildTable(catalogue, purposes, rules);
  const version = versionOf(catalogue, rules, purposesText);
  const caps = capsByClass(table, purposes);
  const known = new KnownDecisions();
  const purposeOf = (code: PurposeCode) => purposes.purposes.get(code) ?? unknownPurpose(purposes);
  return {
    version,
    decide: (request) => decide(table, version, purposes, known, request),
    caps: (purpose) => purposeOf(purpose).caps,
    capsFor: (purpose, institutionClass) => caps.get(purpose)?.get(institutionClass),
    verificationLimit: (purpose) => purposeOf(purpose).verificationAttemptsMax,
    ...purposes,
    fields: catalogue.fields,
    rules: new Map(rules.map((rule) => [rule.id, rule])),
    warnings: warnings(table),
    cell(purpose, institutionClass, field, use) {
      const row = table.get(purpose)?.get(institutionClass)?.get(field);
      return row === undefined ? undefined : cellOf(row, use);
    },
  };
}

function decide(table: Table, version: PolicyVersion, purposes: Purposes, known: KnownDecisions, request: DecisionRequest): Decision {
  const { purpose, institutionClass, asked, consent, facts } = request;
  const byClass = table.get(purpose);
  if (byClass === undefined) return unknownPurpose(purposes);
  const rows = byClass.get(institutionClass);
  const fields: FieldDecision[] = [];
  let allKnown = true;
  for (const { field, use } of asked) {
    const row = rows?.get(field);
    const cell = row === undefined ? undefined : cellOf(row, use);
    allKnown &&= cell !== undefined;
    fields.push(cell === undefined ? withheld(field, use, 'not_available') : decideCell(cell, consent, field, facts));
  }
  // what names unknown fields comes from outside in any number: it is not kept
  const head = { policy: version, purpose, institutionClass };
  return allKnown ? known.of(head, fields) : { ...head, fields };
}

function decideCell(cell: Cell, consent: DecisionRequest['consent'], field: FieldRef, facts: Facts): FieldDecision {
  if (consent === null) return cell.noGrant;
  const state = consent.get(field);
  // anything but the two words that open is no consent
  if (state !== 'original' && state !== 'desensitised') return cell.notConsented;
  const { fixed, program } = cell[state];
  return program === null ? fixed : resolve(program, facts);
}

function capsByClass(table: Table, purposes: Purposes): Map<string, Map<string, PurposeCaps>> {
  return new Map([...table].map(([code, byClass]) => {
    const { caps } = purposes.purposes.get(code) as Purpose;
    return [code, new Map([...byClass].map(([institutionClass, rows]) => {
      const fields = new Set([...caps.fields].filter((field) => opens(rows.get(field))));
      return [institutionClass, Object.freeze({ ...caps, fields })];
    }))];
  }));
}

function opens(row: Row | undefined): boolean {
  return row !== undefined && uses.some((use) => consentTiers.some((tier) => mayOpen(row[use], tier)));
}

/** A switch and not an index: what is no use finds nothing, not even on the prototype. */
function cellOf(row: Row, use: Use): Cell | undefined {
  switch (use) {
    case 'read': return row.read;
    case 'verify': return row.verify;
    case 'score': return row.score;
    case 'aggregate': return row.aggregate;
    default:
      use satisfies never;
      return undefined;
  }
}

function unknownPurpose(purposes: Purposes): never {
  const codes = [...purposes.purposes.keys()];
  throw new VeilgateError('POLICY_PURPOSE_UNKNOWN', `This platform knows no such purpose; use one of ${codes.join(', ')}.`, { purposes: codes });
}

/**
 * SHA-256 of everything a decision can depend on, in canonical form: comments, layout and the order of rules,
 * of files and of lists do not change it.
 */
function versionOf(catalogue: Catalogue, rules: readonly Rule[], purposes: PurposesText): PolicyVersion {
  const fields = [...catalogue.fields.values()].map(({ ref, type, classification }) => [ref, type, classification.level, classification.kind]);
  const content = {
    format: 1,
    fields: fields.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    rules: rules.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map(({ text, path, when }) => ({
      ...text,
      file: path[0],
      fields: text.fields.toSorted(),
      purposes: text.purposes.toSorted(),
      institution_classes: text.institution_classes.toSorted(),
      consent: text.consent.toSorted(),
      when: when?.key ?? null,
    })),
    purposes: {
      ...purposes,
      purposes: Object.fromEntries(Object.entries(purposes.purposes).map(([code, purpose]) => [
        code, { ...purpose, uses: purpose.uses.toSorted(), minimum: purpose.minimum.toSorted(), caps: { ...purpose.caps, kinds: purpose.caps.kinds.toSorted() } },
      ])),
    },
  };
  return createHash('sha256').update(canonicalBytes(content)).digest('hex') as PolicyVersion;
}
