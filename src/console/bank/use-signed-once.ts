import { useRef } from 'react';
import { isVeilgateError } from '../../errors.ts';
import { useChange } from '../shell/use-gateway.ts';

/**
 * Sends something signed that is answered at most once. While nobody answered, the same question is sent as the very same
 * signed text: if it did arrive, the gateway refuses it as used, and nothing is counted twice.
 * @returns as useChange; `unsure` when it is not known whether the question arrived
 */
export function useSignedOnce<Ask, Signed, Answer>(sign: (ask: Ask) => Promise<Signed>, send: (signed: Signed) => Promise<Answer>, affects: readonly (readonly unknown[])[]) {
  const waiting = useRef<{ readonly ask: string; readonly signed: Signed } | undefined>(undefined);
  const sending = useChange(async (_calls, ask: Ask) => {
    const text = JSON.stringify(ask);
    const signed = waiting.current?.ask === text ? waiting.current.signed : await sign(ask);
    waiting.current = { ask: text, signed };
    try {
      const answer = await send(signed);
      waiting.current = undefined;
      return answer;
    } catch (error) {
      if (wasAnswered(error)) waiting.current = undefined;
      throw error;
    }
  }, affects);
  return { ...sending, unsure: sending.error !== null && !wasAnswered(sending.error) };
}

/** Whether the gateway said something; what fails on the way says nothing about whether it heard. */
function wasAnswered(error: unknown): boolean {
  return isVeilgateError(error) && error.code !== 'GATEWAY_UNAVAILABLE';
}
