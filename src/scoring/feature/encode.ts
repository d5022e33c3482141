import type { Value } from '../../vocabulary.ts';
import type { Feature } from '../protocol.ts';

/** The integer a value becomes; `absent` when the feature says that who has no value has no slot. Errors: FEATURE_VALUE_REFUSED. */
export function encodeValue(_feature: Feature, _value: Value | undefined): number | 'absent' {
  return 'absent';
}
