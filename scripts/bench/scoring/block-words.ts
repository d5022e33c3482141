import type { CustodianAddress } from '../../../src/gateway/scoring.ts';
import type { Model, SealedScores } from '../../../src/scoring/protocol.ts';
import type { InstitutionId, PublicJwk } from '../../../src/vocabulary.ts';

/** What a process that scores blocks is told once. */
export type BlockSetup = {
  readonly databaseUrl: string;
  readonly keysFolder: string;
  readonly gatewayUrl: string;
  readonly custodian: CustodianAddress;
  readonly model: Model;
  readonly recipient: PublicJwk;
  readonly institution: InstitutionId;
  readonly threads: number;
  /** Columns kept at hand, in bytes. */
  readonly cacheBytesMax: number;
};

/** One round over blocks 0… of the first `enterprises`. */
export type BlockRound = { readonly enterprises: number; readonly request: string; readonly requestDigest: string; /** Blocks worked on at a time. */ readonly width: number };

export type BlockOrder = { readonly setup: BlockSetup } | { readonly round: BlockRound };
export type BlockNews = { readonly ready: true } | { readonly block: number; readonly sealed: SealedScores } | { readonly over: { readonly stepSeconds: Readonly<Record<string, number>> } } | { readonly failed: string };
