import { epochSeconds, isoTime, type Clock } from '../clock.ts';
import type { Catalogue, FieldRef, Signer } from '../vocabulary.ts';
import type { GrantEventKind, HistoryEntry } from './events.ts';
import type { StoredGrant } from './grant-row.ts';

export const receiptType = 'consent-receipt+jwt';
/** Names the layout below; a change of it changes the name. */
export const receiptSchemaVersion = 'veilgate-27560-1';

/** A party as section 6.3.6 of ISO/IEC TS 27560 describes it. */
export type ReceiptParty = {
  readonly id: string;
  readonly name: string;
  readonly url?: string;
  readonly address?: string;
  readonly email?: string;
  readonly phone?: string;
};

/** What a receipt says beyond the grant itself; the platform's configuration and registry know it. */
export type ReceiptContext = {
  /** URL of the platform that signs the receipt. */
  readonly issuer: string;
  /** Who runs the platform: controller of the answers it gives. */
  readonly platform: ReceiptParty;
  /** The grant's institution. */
  readonly institution: ReceiptParty;
  /** Departments whose datasets the grant names. */
  readonly suppliers: readonly ReceiptParty[];
  /** The supervisor that hears complaints. */
  readonly authority?: ReceiptParty;
  readonly noticeUrl: string;
  /** BCP 47 tag of the notice's language. */
  readonly language: string;
  /** Where the enterprise pauses and revokes. */
  readonly withdrawalUrl: string;
  /** Where it reads who had access, objects, has data corrected and takes it along. */
  readonly rightsUrl: string;
  /** ISO 3166-1 code of the law that governs, and of the places the data is kept. */
  readonly jurisdiction: string;
  readonly storageLocations: readonly string[];
  /** The purpose in words, in the notice's language. */
  readonly purposeTitle: string;
};

/** How the standard's states of consent call what happened. */
const eventStates: Readonly<Record<GrantEventKind, string>> = {
  granted: 'given',
  paused: 'suspended',
  resumed: 'given',
  revoked: 'withdrawn',
  exhausted: 'terminated',
  expired: 'expired',
};

/**
 * The consent receipt an enterprise keeps: the whole consent record in the structure of ISO/IEC TS 27560:2023
 * (header, PII processing, party identification, events), signed by the platform.
 * The same grant with the same history has the same receipt id. It holds the enterprise's code: only its own
 * enterprise gets it.
 * @param history of `grantHistory`
 * @returns compact JWS, `typ: consent-receipt+jwt`
 */
export async function consentReceipt(grant: StoredGrant, history: readonly HistoryEntry[], catalogue: Catalogue, context: ReceiptContext, signer: Signer, clock: Clock): Promise<string> {
  return signer.sign(receiptType, receiptPayload(grant, history, catalogue, context, clock));
}

/** Claims of the receipt; docs/formats/consent-receipt.md explains them. */
export type ReceiptPayload = ReturnType<typeof receiptPayload>;

function receiptPayload(grant: StoredGrant, history: readonly HistoryEntry[], catalogue: Catalogue, context: ReceiptContext, clock: Clock) {
  const receiptId = `${grant.id}.${history.length}`;
  return {
    iss: context.issuer,
    aud: grant.subject,
    iat: epochSeconds(clock.nowMs()),
    jti: receiptId,
    receipt_metadata: { receipt_id: receiptId, schema_version: receiptSchemaVersion },
    record_header: { schema_version: receiptSchemaVersion, record_id: grant.id, pii_principal_id: grant.subject, state: grant.state },
    pii_processing: {
      privacy_notice: { url: context.noticeUrl, digest: { alg: 'sha-256', value: grant.noticeDigest } },
      language: context.language,
      purposes: [purpose(grant, catalogue, context)],
    },
    party_identification: parties(grant, context),
    events: history.map((entry) => event(grant, entry)),
    evidence: { origin: grant.origin, digest: { alg: 'sha-256', value: grant.evidenceDigest } },
  };
}

function purpose(grant: StoredGrant, catalogue: Catalogue, context: ReceiptContext) {
  return {
    purpose: context.purposeTitle,
    purpose_type: grant.purpose,
    lawful_basis: 'consent',
    pii_information: [...grant.fields].map(([field, ceiling]) => information(field, ceiling, catalogue)),
    pii_controllers: [context.platform.id],
    pii_processors: context.suppliers.map(({ id }) => id),
    collection_method: 'held by the supplying departments',
    processing_method: ['query', 'desensitise', 'verify', 'disclose'],
    storage_locations: context.storageLocations,
    retention_period: { days_after_disclosure: grant.dataLifeDays },
    data_period: { from: grant.dataFrom, to: grant.dataTo },
    geographic_restrictions: context.storageLocations,
    jurisdiction: context.jurisdiction,
    recipient_third_parties: [grant.institution],
    withdrawal_method: context.withdrawalUrl,
    privacy_rights: { url: context.rightsUrl, rights: ['access', 'withdrawal', 'objection', 'correction', 'portability', 'complaint'] },
    ...(context.authority === undefined ? {} : { authority_party: context.authority.id }),
    limits: { kind: grant.kind, valid_from: isoTime(grant.validFromMs), valid_until: isoTime(grant.validUntilMs), uses_max: grant.usesMax, frequency: grant.frequency },
  };
}

function information(ref: FieldRef, ceiling: string, catalogue: Catalogue) {
  const field = catalogue.fields.get(ref);
  return {
    pii_type: ref,
    ceiling,
    pii_optional: false,
    ...(field === undefined ? {} : { title: field.title, kind: field.classification.kind, security_level: field.classification.level, sensitive_pii: field.classification.kind === 'personal' && field.classification.level >= 4 }),
  };
}

function parties(grant: StoredGrant, context: ReceiptContext) {
  const described = (party: ReceiptParty, role: string) => ({
    party_id: party.id,
    party_name: party.name,
    party_role: role,
    ...(party.url === undefined ? {} : { party_url: party.url }),
    ...(party.address === undefined ? {} : { party_address: party.address }),
    ...(party.email === undefined ? {} : { party_email: party.email }),
    ...(party.phone === undefined ? {} : { party_phone: party.phone }),
  });
  return [
    described(context.platform, 'PII controller'),
    ...context.suppliers.map((supplier) => described(supplier, 'PII processor')),
    described({ ...context.institution, id: grant.institution }, 'third party recipient'),
    ...(context.authority === undefined ? [] : [described(context.authority, 'authority')]),
  ];
}

function event(grant: StoredGrant, entry: HistoryEntry) {
  const validity = entry.kind === 'granted' || entry.kind === 'resumed' ? { validity_until: isoTime(grant.validUntilMs) } : {};
  return {
    event_time: isoTime(entry.atMs),
    event_type: 'explicit',
    event_state: eventStates[entry.kind],
    event_name: entry.kind,
    entity: entry.actorKind,
    ...validity,
  };
}
