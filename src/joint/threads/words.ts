import type { ErrorCode, VeilgateError } from '../../errors.ts';
import type { CompiledModule } from '../../he/web-assembly.ts';
import type { SubjectId } from '../../vocabulary.ts';
import type { ClearColumn } from '../circuit/table.ts';
import type { BundleSpec } from '../lottery/bundle.ts';
import type { Rational } from '../noise/discrete-gaussian.ts';

/** What a thread of joint modelling is asked, one thing after another. */
export type JointWork =
  | { readonly kind: 'start'; readonly publicKey: Uint8Array; readonly bins: number; readonly shifts: Uint8Array; readonly columns: readonly ClearColumn[]; readonly variance: Rational }
  | { readonly kind: 'add'; readonly pad: Uint8Array }
  | { readonly kind: 'finish' }
  | { readonly kind: 'blind'; readonly run: string; readonly secret: Uint8Array; readonly codes: readonly SubjectId[] }
  | { readonly kind: 'blind_again'; readonly run: string; readonly secret: Uint8Array; readonly points: Uint8Array }
  | { readonly kind: 'digest'; readonly spec: BundleSpec; readonly index: number; readonly seed: Uint8Array };

export type JointReply =
  | { readonly results: readonly Uint8Array<ArrayBuffer>[]; readonly digest?: string }
  | { readonly failed: ErrorCode; readonly message: string; readonly detail?: NonNullable<VeilgateError['detail']> };

export type JointThreadData = { readonly compiled: CompiledModule };
