import type { InstitutionClass, InstitutionId, PartyId, PartyKind, Scope, SubjectId } from '../../vocabulary.ts';
import type { KeyUse } from '../vetting.ts';

/**
 * What the audit log must know of a change in the registry. The gateway appends it in the transaction of the change.
 * `actor` is the party that did it, null when nobody is signed in (an application, the first officers).
 */
export type RegistryEvent = { readonly actor: PartyId | null } & (
  | ({ readonly kind: 'institution.applied'; readonly class: InstitutionClass; /** Thumbprint of the key it signs with from now on. */ readonly key: string } & OfInstitution)
  | ({ readonly kind: 'institution.assessed'; readonly level: number; readonly passed: boolean; readonly report: string } & OfInstitution)
  | ({ readonly kind: 'institution.approved'; readonly scopes: readonly Scope[] } & OfInstitution)
  | ({ readonly kind: 'institution.suspended' | 'institution.reinstated' | 'institution.revoked'; readonly reason: string } & OfInstitution)
  | ({ readonly kind: 'institution.limits_changed'; readonly limits: Readonly<Record<string, number>> } & OfInstitution)
  | ({ readonly kind: 'institution.key_added' | 'institution.key_retired'; readonly thumbprint: string; readonly use: KeyUse } & OfInstitution)
  | { readonly kind: 'party.suspended' | 'party.reinstated' | 'party.revoked'; readonly party: PartyId; readonly partyKind: PartyKind; readonly reason: string }
  | { readonly kind: 'party.key_added' | 'party.key_retired'; readonly party: PartyId; readonly partyKind: PartyKind; readonly thumbprint: string; readonly use: KeyUse }
  | { readonly kind: 'enterprise.registered'; readonly party: PartyId; readonly subject: SubjectId }
  | { readonly kind: 'department.registered'; readonly department: PartyId }
  | { readonly kind: 'officer.registered' | 'officer.approved'; readonly officer: PartyId; readonly scopes: readonly Scope[] }
);

type OfInstitution = { readonly institution: InstitutionId };
