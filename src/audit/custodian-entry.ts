import type { InstitutionId } from '../vocabulary.ts';
import type { Common, Digest } from './entry.ts';

/** What a custodian's own log says happened: docs/formats/score-ticket.md. It never holds a value, a mask, a token or a block's place. */
export type CustodianRecord = ResultOpened | BlockReencrypted | OpeningRefused | AlarmRaised | AlarmCleared | BankChanged | HeKeyChanged;

/** A ticket was used. Written before the ciphertexts are decrypted: an answer may not have left. */
export type ResultOpened = Common<'custodian.opened'> & {
  readonly institution: InstitutionId;
  readonly ticket: string;
  readonly job: string;
  /** Of the homomorphic key. */
  readonly key: string;
  readonly slots: number;
  readonly ciphertexts: readonly Digest[];
  /** Over the compact JWS the institution signed. */
  readonly request: Digest;
  /** The ticket's: over the grants' ids with a salt. */
  readonly grants: Digest;
};

/** A block was encrypted anew under a later key. */
export type BlockReencrypted = Common<'custodian.reencrypted'> & {
  readonly ticket: string;
  readonly job: string;
  readonly key: string;
  readonly toKey: string;
  readonly ciphertexts: readonly Digest[];
};

/** Refusals of one reason: one that a gateway's valid ticket came with, or all that came without in a minute. */
export type OpeningRefused = Common<'custodian.refused'> & {
  readonly institution: InstitutionId | null;
  readonly ticket: string | null;
  /** Which check said no. */
  readonly step: string;
  readonly reason: string;
  readonly count: number;
};

/** A block did not look masked: the gateway is broken or dishonest. */
export type AlarmRaised = Common<'custodian.alarm'> & { readonly institution: InstitutionId | null; readonly ticket: string; /** Which statistic. */ readonly test: string };
export type AlarmCleared = Common<'custodian.alarm_cleared'> & { readonly tickets: readonly string[] };

export type BankChanged =
  | (Common<'custodian.bank_admitted' | 'custodian.bank_keys_changed'> & { readonly institution: InstitutionId; /** RFC 7638, base64url: all that are in use now. */ readonly thumbprints: readonly string[] })
  | (Common<'custodian.bank_suspended' | 'custodian.bank_reinstated'> & { readonly institution: InstitutionId });

export type HeKeyChanged = Common<'custodian.key_made' | 'custodian.key_retired'> & { readonly key: string; readonly parameters: string; /** Of the public key. */ readonly digest: Digest };
