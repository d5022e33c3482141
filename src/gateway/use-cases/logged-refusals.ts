import { VeilgateError } from '../../errors.ts';

/** Refusals that were written in place of the answer: whoever catches them must not log them again. */
const loggedRefusals = new WeakSet<VeilgateError>();

export function wasLogged(error: unknown): boolean {
  return error instanceof VeilgateError && loggedRefusals.has(error);
}

export function logged(refusal: VeilgateError): VeilgateError {
  loggedRefusals.add(refusal);
  return refusal;
}
