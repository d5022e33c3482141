import { isoTime } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { FieldRef, Frequency, GrantState, TimeMs } from '../vocabulary.ts';

/** What decides whether a grant can be used right now. */
export type Usability = {
  readonly id: string;
  readonly state: GrantState;
  readonly validFromMs: TimeMs;
  readonly validUntilMs: TimeMs;
  readonly frequency: Frequency | null;
  /** End of the window that windowUses counts; uses after it start a new window. */
  readonly windowEndsMs: TimeMs;
  readonly windowUses: number;
};

/**
 * The one answer to whoever holds no grant here: unknown grant, another institution's, another enterprise's,
 * another purpose's, unknown enterprise. Always the same words, without detail, so that nothing can be learnt.
 */
export function consentRequired(): VeilgateError {
  return new VeilgateError('CONSENT_REQUIRED', 'No consent covers this enterprise and purpose: ask the enterprise to grant it.');
}

/** Why a grant of the caller's own cannot be used at `atMs`; undefined when it can. */
export function unusable(grant: Usability, atMs: TimeMs): VeilgateError | undefined {
  const refuse = (code: VeilgateError['code'], message: string, detail: Readonly<Record<string, string>> = {}) =>
    new VeilgateError(code, message, { grant: grant.id, ...detail });
  switch (grant.state) {
    case 'revoked':
      return refuse('CONSENT_REVOKED', 'The grant was revoked: ask the enterprise for a new one.');
    case 'exhausted':
      return refuse('CONSENT_EXHAUSTED', 'Every use of the grant is spent: ask the enterprise for a new one.');
    case 'expired':
      return refuse('CONSENT_EXPIRED', 'The grant has expired: ask the enterprise for a new one.');
    case 'active':
    case 'paused':
      break;
    default:
      grant.state satisfies never;
      return consentRequired();
  }
  if (atMs >= grant.validUntilMs) return refuse('CONSENT_EXPIRED', 'The grant has expired: ask the enterprise for a new one.');
  if (grant.state === 'paused') return refuse('CONSENT_PAUSED', 'The enterprise has paused the grant: try again after it resumes it.');
  if (atMs < grant.validFromMs) return refuse('CONSENT_NOT_YET_VALID', 'The grant is not valid yet: try again at detail.valid_from.', { valid_from: isoTime(grant.validFromMs) });
  if (grant.frequency !== null && atMs < grant.windowEndsMs && grant.windowUses >= grant.frequency.max) {
    return refuse('CONSENT_FREQUENCY_EXCEEDED', `The grant allows no more uses this ${grant.frequency.per}: try again at detail.again_at.`, { again_at: isoTime(grant.windowEndsMs) });
  }
  return undefined;
}

/** The state as it really is at `atMs`, whether or not housekeeping has marked it. */
export function stateAt(grant: Pick<Usability, 'state' | 'validUntilMs'>, atMs: TimeMs): GrantState {
  const open = grant.state === 'active' || grant.state === 'paused';
  return open && atMs >= grant.validUntilMs ? 'expired' : grant.state;
}

export function attemptsExhausted(fields: readonly FieldRef[]): VeilgateError {
  return new VeilgateError('QUERY_ATTEMPTS_EXHAUSTED', 'These fields were verified as often as policy allows: leave them out, or ask the enterprise for the value itself.', { fields });
}
