import type { ErrorCode } from '../errors.ts';

/** Checks of an opening, in the order they are made. */
export const refusalSteps = ['body', 'ticket', 'key', 'ciphertext', 'slots', 'request', 'recipient', 'use', 'limit', 'alarm', 'mask'] as const;
export type RefusalStep = (typeof refusalSteps)[number];

/** What a check can find wrong beyond the codes of tokens. */
export const refusalReasons = [
  'malformed', 'unknown', 'retired', 'count', 'length', 'form', 'digest', 'range', 'lifetime', 'used', 'other_request',
  'suspended', 'not_the_banks', 'rate', 'slots_of_request', 'slots_of_day', 'open_alarm', 'not_uniform', 'not_newer', 'unusable',
] as const;
export type RefusalReason = (typeof refusalReasons)[number] | ErrorCode;

/**
 * Why something was not opened: for the custodian's own log. Whoever asked gets one answer for all of them.
 * No VeilgateError, so that nothing can hand it on by mistake.
 */
export class Refusal extends Error {
  readonly step: RefusalStep;
  readonly reason: RefusalReason;

  constructor(step: RefusalStep, reason: RefusalReason) {
    super(`${step}: ${reason}`);
    this.name = 'Refusal';
    this.step = step;
    this.reason = reason;
  }
}
