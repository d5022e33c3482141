import type { Page } from 'playwright-core';

/**
 * Sends a change as the page's own person, past what the page offers.
 * @param address below `/console/api` @returns `done`, or the code of the refusal
 */
export async function sendPast(page: Page, method: 'POST' | 'PUT' | 'DELETE', address: string, body: unknown): Promise<string> {
  return page.evaluate(async ([verb, at, json]) => {
    const { csrf } = await (await fetch('/console/api/session')).json() as { csrf: string };
    const response = await fetch(`/console/api${at}`, { method: verb, headers: { 'content-type': 'application/json', 'veilgate-csrf': csrf, 'idempotency-key': crypto.randomUUID() }, body: json });
    return response.ok ? 'done' : (await response.json() as { code: string }).code;
  }, [method, address, JSON.stringify(body)] as const);
}
