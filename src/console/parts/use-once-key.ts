import { useRef } from 'react';

/**
 * The idempotency key of one intention: the same while its content is the same, so that sending it again after the
 * network was lost does nothing twice, and another as soon as the content changes.
 * @param content what will be sent, as JSON carries it
 */
export function useOnceKey(content: unknown): string {
  const text = JSON.stringify(content);
  const kept = useRef({ text, key: crypto.randomUUID() });
  if (kept.current.text !== text) kept.current = { text, key: crypto.randomUUID() };
  return kept.current.key;
}
