import type { ConsentCeiling, FieldRef, GrantId, GrantState, GrantTerms, SubjectId, TimeMs } from '../vocabulary.ts';

/** Languages of the pages. */
export type Language = 'zh' | 'en';

/** One requested field as a representative reads it. */
export type FieldDescription = {
  readonly ref: FieldRef;
  readonly title: string;
  /** Title of the dataset it comes from; fields of one dataset are shown together. */
  readonly dataset: string;
  /** Such as "commercial secret, level 4". */
  readonly classification: string;
  /** In plain words, what the institution gets at each ceiling: "the exact value, which only the bank can read". */
  readonly gets: Readonly<Record<ConsentCeiling, string>>;
};

/** A requested grant for people: who asks for what and why. */
export type ConsentDescription = {
  readonly institution: { readonly name: string; readonly kind: string };
  readonly purpose: { readonly title: string; readonly text: string };
  /** Every requested field, in the order to show them. */
  readonly fields: readonly FieldDescription[];
  /** Plain sentences: the most that anybody may ask for with this purpose. */
  readonly caps: readonly string[];
};

/** The person at the browser, signed in for one enterprise. */
export type Representative = {
  readonly accountId: string;
  /** As the registrar wrote it; null when it was not told. */
  readonly name: string | null;
};

/** One grant in the enterprise's list. */
export type GrantOverview = {
  readonly id: GrantId;
  readonly state: GrantState;
  readonly institution: string;
  readonly purpose: string;
  /** Titles of the fields with what the institution gets. */
  readonly fields: readonly { readonly title: string; readonly gets: string }[];
  readonly createdAtMs: TimeMs;
  readonly validUntilMs: TimeMs;
  /** null: not limited by number. */
  readonly usesLeft: number | null;
};

/** A receipt as the enterprise keeps it (ISO/IEC TS 27560): file name and media type go into HTTP headers. */
export type ReceiptFile = { readonly fileName: string; readonly mediaType: string; readonly text: string };

/**
 * What the authorization server asks of consent, policy and registry together. It knows none of them:
 * the gateway implements this. All sentences come in the language asked for.
 * Errors: CONSENT_* for what the enterprise or the bank can mend, POLICY_PURPOSE_UNKNOWN, INSTITUTION_NOT_ACTIVE; anything else is a fault.
 */
export type ConsentDesk = {
  /**
   * Fills in what a request leaves open (start of the data period, uses, frequency) with the most policy allows, so
   * that the representative sees every limit. Errors: POLICY_PURPOSE_UNKNOWN.
   */
  readonly complete: (terms: GrantTerms) => GrantTerms;
  /**
   * Refuses terms that no enterprise could grant: unknown purpose or field, beyond a cap, field not open to this
   * institution. Called before anyone signs in, so it must not depend on whether the subject exists.
   * Errors: CONSENT_EXCEEDS_CAP, CONSENT_INVALID, POLICY_PURPOSE_UNKNOWN.
   */
  readonly validate: (terms: GrantTerms) => Promise<void>;
  /** Describes valid terms; one description for every field of the terms. */
  readonly describe: (terms: GrantTerms, language: Language) => Promise<ConsentDescription>;
  /**
   * Records the grant, durable when it resolves. The terms were narrowed by the representative and start now.
   * `noticeText` is what the representative read and agreed to; its SHA-256 becomes the grant's notice digest.
   * Errors: those of validate.
   */
  readonly grant: (order: { readonly terms: GrantTerms; readonly representative: Representative; readonly noticeText: string }) => Promise<GrantId>;
  /** All grants of the subject, newest first, at most 500. */
  readonly list: (subject: SubjectId, language: Language) => Promise<readonly GrantOverview[]>;
  /** Each acts at once. Errors: CONSENT_NOT_FOUND (also for another subject's grant), CONSENT_STATE_CONFLICT. */
  readonly pause: (subject: SubjectId, grant: GrantId, representative: Representative) => Promise<void>;
  readonly resume: (subject: SubjectId, grant: GrantId, representative: Representative) => Promise<void>;
  readonly revoke: (subject: SubjectId, grant: GrantId, representative: Representative) => Promise<void>;
  /** Errors: CONSENT_NOT_FOUND. */
  readonly receipt: (subject: SubjectId, grant: GrantId) => Promise<ReceiptFile>;
};
