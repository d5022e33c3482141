import { strict as assert } from 'node:assert';
import type { Page } from 'playwright-core';

/** Chooses in a list with the mouse. @param label of the list @param option what it says */
export async function choose(page: Page, label: string, option: string): Promise<void> {
  await page.getByRole('button', { name: label }).click();
  await page.getByRole('option', { name: option, exact: true }).click();
}

const tabsMax = 80;
/** What has the focus, as assistive technology names it, roughly. What holds others (a region, the page itself after its last element) is named by none of them. */
const focused = `(() => {
  const element = document.activeElement;
  const by = (element.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join(' ');
  return [element.getAttribute('aria-label'), by, element.labels?.[0]?.textContent, element.matches('body, main, [role=region]') ? '' : element.textContent].filter(Boolean).join(' | ');
})()`;

/** Presses Tab until something of that name has the focus. */
export async function tabTo(page: Page, name: string): Promise<void> {
  const seen: string[] = [];
  for (let press = 0; press < tabsMax; press += 1) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate<string>(focused);
    if (at.includes(name)) return;
    seen.push(at.slice(0, 60));
  }
  assert.fail(`the keyboard never comes to ${name}, but to ${seen.join('; ')}`);
}

/** Chooses in a list with the keyboard alone. */
export async function choosesWithKeys(page: Page, label: string, option: string): Promise<void> {
  await tabTo(page, label);
  await page.keyboard.press('Enter');
  await page.getByRole('listbox').waitFor();
  for (let press = 0; press < tabsMax; press += 1) {
    if ((await page.evaluate<string>('document.activeElement.textContent')) === option) return page.keyboard.press('Enter');
    await page.keyboard.press('ArrowDown');
  }
  return assert.fail(`no option ${option}`);
}
