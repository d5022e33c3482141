import type { GrantId, InstitutionId, PurposeCode, SubjectId } from '../vocabulary.ts';
import type { Common, Digest } from './entry.ts';

/** An institution asked an enterprise for a grant, and what came of it. No words of either are here, only a digest. */
export type GrantRequestRecord = GrantRequested | GrantRequestAccepted | GrantRequestEnded;

type OfRequest = { readonly request: string; readonly institution: InstitutionId; readonly subject: SubjectId };

export type GrantRequested = Common<'grant.requested'> & OfRequest & {
  readonly purpose: PurposeCode;
  /** Over the canonical JSON of {terms, message}: what was asked, to the letter. */
  readonly asked: Digest;
  readonly expires: string;
};

/** `grant.created` of the same moment says what was granted. */
export type GrantRequestAccepted = Common<'grant.request_accepted'> & OfRequest & { readonly grant: GrantId };

export type GrantRequestEnded = Common<'grant.request_refused' | 'grant.request_withdrawn'> & OfRequest;
