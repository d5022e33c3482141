import type { Disclosure, Treatment, Value } from '../../vocabulary.ts';
import type { FieldTokens } from '../tokens.ts';
import { address } from './address.ts';
import { generalise } from './codes.ts';
import { bankAccount, chineseName, email, identityNumber, phone } from './identity.ts';
import { band, clamp, round, year } from './numbers.ts';
import { classPreserving, keepEnds, maskRange } from './text.ts';

/**
 * Shown of one value.
 * @param tokens the keys of the value's field, for the two methods that need some
 */
export type Treat = (value: Value, tokens: () => FieldTokens) => Disclosure;

/** There may be a value or not: nobody is told. Also for a value the method cannot treat. */
export const suppressed: Disclosure = Object.freeze({ kind: 'masked', value: null });
/** The department has no value. */
export const absent: Disclosure = Object.freeze({ kind: 'absent' });

/** Treatments stand in the compiled policy, as objects that live as long as it does. */
const compiled = new WeakMap<Treatment, Treat>();

/** The function of a treatment. It never throws and never gives a text value back unchanged. */
export function treatmentFunction(treatment: Treatment): Treat {
  let treat = compiled.get(treatment);
  if (treat === undefined) {
    treat = compile(treatment);
    compiled.set(treatment, treat);
  }
  return treat;
}

function compile(treatment: Treatment): Treat {
  switch (treatment.method) {
    case 'suppress': return () => suppressed;
    case 'fixed': return ofPresent(() => ({ kind: 'masked', value: treatment.text }));
    case 'keep_ends': return ofText((text) => keepEnds(text, treatment.first, treatment.last));
    case 'mask_range': return ofText((text) => maskRange(text, treatment.from, treatment.to));
    case 'class_preserving': return ofText(classPreserving);
    case 'email': return ofText(email);
    case 'phone': return ofText(phone);
    case 'identity_number': return ofText(identityNumber);
    case 'chinese_name': return ofText(chineseName);
    case 'address': return ofText((text) => address(text, treatment.level));
    case 'bank_account': return ofText(bankAccount);
    case 'token': return ofPresent((value, tokens) => ({ kind: 'token', value: tokens().token(value) }));
    case 'format_preserving_token':
      return ofPresent((value, tokens) => ({ kind: 'token', value: tokens().formatPreservingToken(value, treatment.alphabet) }));
    case 'band': return ofPresent((value) => band(value, treatment.edges));
    case 'generalise':
      return ofPresent((value) => ({ kind: 'masked', value: generalise(value, treatment.groups, treatment.otherwise) }));
    case 'round': return ofPresent((value) => round(value, treatment.to));
    case 'year': return ofPresent(year);
    case 'clamp': {
      const edges = [treatment.bottom, treatment.top] as const;
      return ofPresent((value) => clamp(value, edges));
    }
    default:
      treatment satisfies never;
      return () => suppressed; // a method of a newer policy than this program: hide
  }
}

/** A method that says whether there is a value, and hides what it has no answer for. */
function ofPresent(show: (value: string | number | boolean, tokens: () => FieldTokens) => Disclosure | undefined): Treat {
  return (value, tokens) => {
    if (value === null) return absent;
    // whatever a broken source delivers besides the types of a value
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return suppressed;
    return show(value, tokens) ?? suppressed;
  };
}

function ofText(mask: (text: string) => string): Treat {
  return ofPresent((value) => {
    if (typeof value !== 'string') return undefined;
    const shown = mask(value);
    // a stored text may look like a mask itself ("****"): not even that comes back
    return shown === value ? undefined : { kind: 'masked', value: shown };
  });
}
