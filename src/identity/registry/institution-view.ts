import { VeilgateError } from '../../errors.ts';
import type { Sql } from '../../store/database.ts';
import type { InstitutionClass, InstitutionId, IsoDate, PartyId, Scope, TimeMs } from '../../vocabulary.ts';
import type { KeyUse } from '../vetting.ts';
import type { InstitutionLimits } from './institution.ts';
import type { DisplayName, PartyStatus } from './party.ts';

/** An institution as officers see it. */
export type InstitutionView = {
  readonly id: InstitutionId;
  readonly name: DisplayName;
  readonly class: InstitutionClass;
  readonly country: string;
  readonly status: PartyStatus;
  readonly statusReason: string | null;
  readonly scopes: readonly Scope[];
  readonly limits: InstitutionLimits;
  readonly redirectUris: readonly string[];
  readonly registeredBy: PartyId | null;
  readonly registeredMs: TimeMs;
  readonly approvedBy: PartyId | null;
  /** Latest assessment; null: none yet. */
  readonly assessment: { readonly level: number; readonly passed: boolean; readonly assessor: PartyId; readonly validUntil: IsoDate } | null;
  readonly keys: readonly { readonly thumbprint: string; readonly kid: string; readonly use: KeyUse; readonly addedMs: TimeMs; readonly retiredMs: TimeMs | null }[];
};

const pageMax = 200;
const columns = `
  select p.id, p.name_en, p.name_zh, p.status, p.status_reason, p.registered_by, p.registered_ms,
         i.class, i.country, i.scopes, i.requests_per_second, i.queries_per_day, i.redirect_uris, i.approved_by,
         (select jsonb_build_object('level', a.level, 'passed', a.passed, 'assessor', a.assessor, 'validUntil', a.valid_until)
          from security_assessment a where a.institution = p.id order by a.id desc limit 1) as assessment,
         (select coalesce(jsonb_agg(jsonb_build_object('thumbprint', k.thumbprint, 'kid', k.kid, 'use', k.use, 'addedMs', k.added_ms, 'retiredMs', k.retired_ms) order by k.added_ms, k.thumbprint), '[]')
          from party_key k where k.party = p.id) as keys
  from party p join institution i on i.id = p.id`;

type Row = {
  readonly id: InstitutionId; readonly name_en: string; readonly name_zh: string; readonly status: PartyStatus; readonly status_reason: string | null;
  readonly registered_by: PartyId | null; readonly registered_ms: TimeMs; readonly class: InstitutionClass; readonly country: string; readonly scopes: readonly Scope[];
  readonly requests_per_second: number | null; readonly queries_per_day: number | null; readonly redirect_uris: readonly string[]; readonly approved_by: PartyId | null;
  readonly assessment: InstitutionView['assessment']; readonly keys: InstitutionView['keys'];
};

/** Errors: INSTITUTION_NOT_FOUND. */
export async function readInstitution(sql: Sql, id: string): Promise<InstitutionView> {
  const { rows } = await sql.query<Row>(`${columns} where p.id = $1`, [id]);
  if (rows[0] === undefined) throw new VeilgateError('INSTITUTION_NOT_FOUND', 'There is no such institution: check the id.');
  return view(rows[0]);
}

/** Several at once; unknown ids are left out. */
export async function readInstitutions(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, InstitutionView>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql.query<Row>(`${columns} where p.id = any($1::text[])`, [[...new Set(ids)]]);
  return new Map(rows.map((row): [string, InstitutionView] => [row.id, view(row)]));
}

/** Institutions by id, at most 200, beginning behind `after`. */
export async function listInstitutions(sql: Sql, after = ''): Promise<readonly InstitutionView[]> {
  const { rows } = await sql.query<Row>(`${columns} where p.id > $1 order by p.id limit $2`, [after, pageMax]);
  return rows.map(view);
}

function view(row: Row): InstitutionView {
  return {
    id: row.id, name: { en: row.name_en, zh: row.name_zh }, class: row.class, country: row.country, status: row.status, statusReason: row.status_reason,
    scopes: row.scopes, limits: limitsOf(row), redirectUris: row.redirect_uris, registeredBy: row.registered_by, registeredMs: row.registered_ms,
    approvedBy: row.approved_by, assessment: row.assessment, keys: row.keys,
  };
}

/** Columns as limits: null is no limit. */
export function limitsOf(row: { readonly requests_per_second: number | null; readonly queries_per_day: number | null }): InstitutionLimits {
  return {
    ...(row.requests_per_second === null ? {} : { requestsPerSecond: row.requests_per_second }),
    ...(row.queries_per_day === null ? {} : { queriesPerDay: row.queries_per_day }),
  };
}
