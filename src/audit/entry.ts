import { canonicalBytes } from '../canonical.ts';
import { isoTime } from '../clock.ts';
import type { ErrorCode } from '../errors.ts';
import type {
  ConsentCeiling, DatasetId, DecisionReason, Disposition, FieldDecision, FieldRef, Frequency, GrantId, GrantTerms, InstitutionClass,
  InstitutionId, PartyId, PolicyVersion, PurposeCode, Scope, SubjectId, TimeMs, Use,
} from '../vocabulary.ts';
import type { AccountRecord } from './account-entry.ts';
import { concat, type Bytes } from './bytes.ts';
import type { CustodianRecord } from './custodian-entry.ts';
import type { OwnExported } from './export-entry.ts';
import type { GrantRequestRecord } from './grant-request-entry.ts';
import type { JointRunRecord } from './joint-run-entry.ts';
import type { ObjectionRecord } from './objection-entry.ts';
import { webSha256, type Sha256 } from './tree.ts';

/**
 * What the log says happened. A record holds facts about a disclosure, never a disclosed value; the only thing
 * in it that tells an enterprise is its code, and record and salt can be erased together.
 */
export type AuditRecord =
  | QueryReleased | QueryRefused | QueriesRefused | ScoreReleased | ScoreRefused | ScoresReleased | GrantCreated | GrantChanged | GrantRequestRecord | OwnExported | InstitutionChanged
  | EnterpriseRegistered | EnterpriseActivated | AccountRecord | DepartmentRegistered | OfficerRegistered | PartyChanged
  | PolicyLoaded | PolicyChanged | PolicyWithheld | RecordsLoaded | RecordCorrected | FeaturesChanged | ModelChanged | JointProjectChanged | CohortChanged | RequestShown | ReportPublished | EntryErased | CustodianRecord | JointRunRecord | ObjectionRecord;

export type AuditKind = AuditRecord['kind'];

/** SHA-256, lower-case hex. */
export type Digest = string;

export type Common<Kind extends string> = {
  readonly v: 1;
  readonly kind: Kind;
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string;
  /** Party that did it; `platform` when nobody asked for it. */
  readonly actor: PartyId;
};

/** Fields that were decided alike. Grouped because twenty fields decided one by one would double the record. */
export type FieldOutcome = {
  readonly use: Use;
  readonly disposition: Disposition;
  readonly reason: DecisionReason;
  readonly fields: readonly FieldRef[];
};

export type RowCount = { readonly dataset: DatasetId; readonly rows: number };

export type QueryReleased = Common<'query.released'> & {
  readonly institution: InstitutionId;
  readonly subject: SubjectId;
  readonly purpose: PurposeCode;
  readonly grant: GrantId;
  readonly policy: PolicyVersion;
  /** Over the canonical JSON of the Decision. */
  readonly decision: Digest;
  readonly outcomes: readonly FieldOutcome[];
  readonly rows: readonly RowCount[];
  /** Disclosed or compared while an objection to it waited for its department; absent when there is none. */
  readonly disputed?: readonly FieldRef[];
  /** Over the compact JWS the institution signed. */
  readonly request: Digest;
  /** Over the canonical JSON of the answer (docs/formats/receipt.md). */
  readonly answer: Digest;
};

/** A refusal may come before its facts are known: what is not known is null. */
export type QueryRefused = Common<'query.refused'> & {
  readonly institution: InstitutionId;
  readonly subject: SubjectId | null;
  readonly purpose: PurposeCode | null;
  readonly grant: GrantId | null;
  readonly policy: PolicyVersion | null;
  readonly decision: Digest | null;
  readonly outcomes: readonly FieldOutcome[];
  readonly code: ErrorCode;
  readonly request: Digest | null;
};

/** A score went out, sealed: the platform itself never saw it. */
export type ScoreReleased = Common<'score.released'> & {
  readonly institution: InstitutionId;
  readonly subject: SubjectId;
  readonly purpose: PurposeCode;
  readonly grant: GrantId;
  /** `name@version`. */
  readonly model: string;
  readonly policy: PolicyVersion;
  /** Over the canonical JSON of the Decision. */
  readonly decision: Digest;
  readonly outcomes: readonly FieldOutcome[];
  /** Behind a feature of the model, while an objection to it waited for its department; absent when there is none. */
  readonly disputed?: readonly FieldRef[];
  /** Id of the custodian's key the features are encrypted under. */
  readonly key: string;
  /** The ticket in the custodian's own log, and the salt under which it names the grant there. */
  readonly ticket: string;
  readonly ticketSalt: string;
  /** Over the compact JWS the institution signed; it names the enterprise by a digest with this salt. */
  readonly request: Digest;
  readonly requestSalt: string;
  /** Over the canonical JSON of the answer (docs/formats/sealed-scoring.md). */
  readonly answer: Digest;
};

/** The scores of one part of a job went out, sealed. It names no enterprise: each finds it in its own access history. */
export type ScoresReleased = Common<'scores.released'> & {
  readonly institution: InstitutionId;
  readonly purpose: PurposeCode;
  /** `name@version`. */
  readonly model: string;
  readonly policy: PolicyVersion;
  /** Id of the custodian's key the features are encrypted under, its parameter set, and the custodian's id. */
  readonly key: string;
  readonly parameters: string;
  readonly custodian: string;
  readonly job: string;
  /** Number of the part, from 0. */
  readonly part: number;
  /** Enterprises whose scores went out, each under a grant of its own. */
  readonly count: number;
  /** Over the canonical JSON of {salt, subjects} (docs/formats/score-job.md). */
  readonly subjects: Digest;
  /** The ticket in the custodian's own log, and the salt under which it names the grants there. */
  readonly ticket: string;
  readonly ticketSalt: string;
  /** Over the compact JWS the institution signed. */
  readonly request: Digest;
  /** Over the canonical JSON of the part (docs/formats/score-job.md). */
  readonly answer: Digest;
};

/** A refusal may come before its facts are known: what is not known is null. */
export type ScoreRefused = Common<'score.refused'> & {
  readonly institution: InstitutionId;
  readonly subject: SubjectId | null;
  readonly purpose: PurposeCode | null;
  readonly grant: GrantId | null;
  readonly model: string | null;
  readonly policy: PolicyVersion | null;
  readonly decision: Digest | null;
  readonly outcomes: readonly FieldOutcome[];
  /** Present when the custodian may have answered one before the release was refused: it went nowhere. */
  readonly ticket: string | null;
  readonly code: ErrorCode;
  readonly request: Digest | null;
};

/** Refusals at the door beyond what is logged one by one, counted by one process within a minute. */
export type QueriesRefused = Common<'queries.refused'> & {
  readonly institution: InstitutionId;
  readonly from: string;
  readonly until: string;
  readonly refused: readonly { readonly code: ErrorCode; readonly count: number }[];
};

type GrantCommon = { readonly grant: GrantId; readonly subject: SubjectId; readonly institution: InstitutionId };

export type GrantCreated = Common<'grant.created'> & GrantCommon & {
  readonly purpose: PurposeCode;
  readonly origin: 'browser' | 'signed';
  readonly fields: readonly { readonly ceiling: ConsentCeiling; readonly fields: readonly FieldRef[] }[];
  readonly dataFrom: string | null;
  readonly dataTo: string | null;
  readonly validFrom: string;
  readonly validUntil: string;
  readonly usesMax: number | null;
  readonly frequency: Frequency | null;
  readonly dataLifeDays: number;
  /** Of the notice the representative saw or signed. */
  readonly notice: Digest;
};

export type GrantChanged =
  Common<'grant.paused' | 'grant.resumed' | 'grant.revoked' | 'grant.exhausted' | 'grant.expired'> & GrantCommon;

type InstitutionCommon = { readonly institution: InstitutionId };

export type InstitutionChanged =
  | (Common<'institution.applied'> & InstitutionCommon & { readonly class: InstitutionClass; /** Thumbprint of the key it signs its first requests with. */ readonly key: string })
  | (Common<'institution.assessed'> & InstitutionCommon & { readonly level: number; readonly passed: boolean; readonly report: Digest | null })
  | (Common<'institution.approved'> & InstitutionCommon & { readonly scopes: readonly Scope[] })
  | (Common<'institution.suspended' | 'institution.reinstated' | 'institution.revoked'> & InstitutionCommon & { /** A code, no free text. */ readonly reason: string })
  | (Common<'institution.limits_changed'> & InstitutionCommon & { readonly limits: Readonly<Record<string, number>> })
  | (Common<'institution.key_added' | 'institution.key_retired'> & InstitutionCommon & { /** RFC 7638, base64url. */ readonly thumbprint: string; readonly use: 'sig' | 'enc' });

export type EnterpriseRegistered = Common<'enterprise.registered'> & { readonly subject: SubjectId };
export type EnterpriseActivated = Common<'enterprise.activated'> & { readonly subject: SubjectId };
export type DepartmentRegistered = Common<'department.registered'> & { readonly department: PartyId };
export type OfficerRegistered = Common<'officer.registered' | 'officer.approved'> & { readonly officer: PartyId; readonly scopes: readonly Scope[] };

/** Parties that are no institution: departments, officers, enterprises with a key. */
export type PartyChanged =
  | (Common<'party.suspended' | 'party.reinstated' | 'party.revoked'> & { readonly party: PartyId; /** A code, no free text. */ readonly reason: string })
  | (Common<'party.key_added' | 'party.key_retired'> & { readonly party: PartyId; readonly thumbprint: string; readonly use: 'sig' | 'enc' });

export type PolicyLoaded = Common<'policy.loaded'> & { readonly policy: PolicyVersion; readonly previous: PolicyVersion | null };

/** A version of the policy as it was proposed, decided and came into force; `digest` is of its files, which never change. */
export type PolicyChanged =
  | (Common<'policy.proposed' | 'policy.approved' | 'policy.refused' | 'policy.withdrawn'> & PolicyChangedCommon)
  /** `previous`: the version whose place it took. */
  | (Common<'policy.in_force'> & PolicyChangedCommon & { readonly previous: number | null });
type PolicyChangedCommon = { readonly version: number; readonly digest: Digest; readonly policy: PolicyVersion; readonly basis: number | null };

/** One officer closed a field for a purpose at once; two people end it. */
export type PolicyWithheld =
  | (Common<'policy.emergency_withheld'> & PolicyWithheldCommon & { /** A code, no free text. */ readonly reason: string; readonly expires: string })
  | (Common<'policy.emergency_lifted'> & PolicyWithheldCommon)
  /** Its time was over and it waits for a decision as this version; it holds until then. */
  | (Common<'policy.emergency_proposed'> & PolicyWithheldCommon & { readonly version: number })
  /** `lasting`: its version came into force; `refused`: it was not wanted. */
  | (Common<'policy.emergency_ended'> & PolicyWithheldCommon & { readonly ending: 'lasting' | 'refused' });
type PolicyWithheldCommon = { readonly withhold: string; readonly field: FieldRef; readonly purpose: PurposeCode };

export type RecordsLoaded = Common<'records.loaded'> & {
  readonly department: PartyId;
  readonly dataset: DatasetId;
  readonly rowsAccepted: number;
  readonly rowsRejected: number;
  /** Of the file as it was uploaded. */
  readonly file: Digest;
};

/** A department replaced one record of one enterprise. */
export type RecordCorrected = Common<'record.corrected'> & { readonly department: PartyId; readonly dataset: DatasetId; readonly subject: SubjectId; readonly outcome: 'new' | 'changed' | 'unchanged' };

type FeaturesCommon = { readonly department: PartyId; readonly dataset: DatasetId };

/** Encrypted columns of sealed scoring. */
export type FeaturesChanged =
  /** `blocks`: over the canonical JSON of the blocks' digests in the order they came. */
  | (Common<'features.loaded'> & FeaturesCommon & { readonly key: string; readonly count: number; readonly blocks: Digest })
  /** The enterprise's slot is empty in every column of every department. */
  | (Common<'features.removed'> & FeaturesCommon & { readonly subject: SubjectId; readonly columns: number })
  /** Blocks went to the custodian's next key through masks: nobody saw a value. */
  | (Common<'features.rekeyed'> & FeaturesCommon & { readonly from: string; readonly to: string; readonly count: number; readonly blocks: Digest });

/** A scoring model as it was proposed and decided; `digest` is of its document, which never changes. */
export type ModelChanged =
  | (Common<'model.proposed' | 'model.approved'> & ModelCommon)
  | (Common<'model.refused' | 'model.retired'> & ModelCommon & { /** A code, no free text. */ readonly reason: string });
type ModelCommon = { /** `name@version`. */ readonly model: string; readonly digest: Digest };

/** A joint-modelling project as it was proposed and decided; `digest` is of its document, which never changes. */
export type JointProjectChanged =
  | (Common<'joint.project_proposed'> & JointProjectCommon)
  /** Two are needed; `approvals` says which one this is. */
  | (Common<'joint.project_approved'> & JointProjectCommon & { readonly approvals: 1 | 2 })
  | (Common<'joint.project_refused' | 'joint.project_stopped' | 'joint.project_ended'> & JointProjectCommon & { /** A code, no free text. */ readonly reason: string });
type JointProjectCommon = { readonly project: string; readonly digest: Digest; readonly institution: InstitutionId };

/** A cohort was formed, and a partner aligned its list with it: neither says who is in it. */
export type CohortChanged =
  /** `digest`: over project, size and members in the order of positions (docs/formats/joint-cohort.md). */
  | (Common<'joint.cohort_formed'> & CohortCommon & { readonly size: number; readonly digest: Digest })
  /** None was formed; the rule is detail.rule of what the caller was told, else its code. */
  | (Common<'joint.cohort_refused'> & Omit<CohortCommon, 'cohort'> & { readonly code: ErrorCode; readonly rule: string })
  /** `points`: how many codes the partner's list has. */
  | (Common<'joint.alignment_opened'> & CohortCommon & { readonly alignment: string; readonly points: number })
  | (Common<'joint.alignment_closed'> & CohortCommon & { readonly alignment: string; readonly outcome: 'done' | 'expired' });
type CohortCommon = { readonly project: string; readonly cohort: string; readonly institution: InstitutionId };

/** An auditor read the signed request beside an entry: it may hold what an institution claimed of an enterprise. */
export type RequestShown = Common<'request.shown'> & { readonly entry: number };

/** The work report of a month that is over was signed; `digest` is of its canonical JSON (docs/formats/work-report.md). */
export type ReportPublished = Common<'report.published'> & { /** `YYYY-MM`. */ readonly month: string; readonly digest: Digest };

/** Says which records are gone and why; cannot be erased itself. */
export type EntryErased = Common<'entry.erased'> & {
  readonly basis: ErasureBasis;
  /** Indices, ascending. */
  readonly entries: readonly number[];
};
export type ErasureBasis = 'subject_request' | 'retention_ended' | 'authority_order';

/** An entry that is in the log. Index, commitment and record together can be shown to anybody who may see the record. */
export type AppendedEntry = { readonly index: number; readonly commitment: Bytes; readonly salt: Bytes };

export const saltLength = 32;
/** UTF-8 bytes of a record's canonical JSON; more is refused. */
export const recordLengthMax = 65_536;

/** First members of every record. */
export function recordHead<Kind extends AuditKind>(kind: Kind, atMs: TimeMs, actor: PartyId): Common<Kind> {
  return { v: 1, kind, at: isoTime(atMs), actor };
}

/** Groups decisions that came out alike; order of first appearance. */
export function fieldOutcomes(decisions: readonly FieldDecision[]): FieldOutcome[] {
  const groups = new Map<string, { use: Use; disposition: Disposition; reason: DecisionReason; fields: FieldRef[] }>();
  for (const { field, use, disposition, reason } of decisions) {
    const key = `${use} ${disposition} ${reason}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { disposition, fields: [field], reason, use }); // in the order of canonical JSON
    else group.fields.push(field);
  }
  return [...groups.values()];
}

/** The record of a new grant: what was consented to, and for how long. */
export function grantCreated(head: Common<'grant.created'>, id: GrantId, terms: GrantTerms, origin: 'browser' | 'signed', notice: Digest): GrantCreated {
  const ceilings = (['original', 'desensitised'] as const).map((ceiling) => ({
    ceiling, fields: [...terms.fields].filter(([, allowed]) => allowed === ceiling).map(([field]) => field),
  }));
  return {
    ...head, grant: id, subject: terms.subject, institution: terms.institution, purpose: terms.purpose, origin,
    fields: ceilings.filter(({ fields }) => fields.length > 0),
    dataFrom: terms.dataFrom, dataTo: terms.dataTo, validFrom: isoTime(terms.validFromMs), validUntil: isoTime(terms.validUntilMs),
    usesMax: terms.usesMax, frequency: terms.frequency, dataLifeDays: terms.dataLifeDays, notice,
  };
}

/** SHA-256(salt || canonical JSON of the record): the 32 bytes that stand in the log. */
export async function commitmentOf(record: AuditRecord | Readonly<Record<string, unknown>>, salt: Uint8Array, sha256: Sha256 = webSha256): Promise<Bytes> {
  return sha256(concat(salt, canonicalBytes(record)));
}
