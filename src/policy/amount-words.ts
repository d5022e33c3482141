import type { Words } from './text.ts';

/** Unit of fields and facts that are amounts of money. */
export const cents = 'CNY cent';

/**
 * A bound of a treatment or comparison as people say it: amounts of money, which are kept in cents, in yuan.
 * @param unit of the field, as the catalogue has it; absent: a bare number
 */
export function amountWords(amount: number, unit?: string): Words {
  if (unit !== cents) return { en: String(amount), zh: String(amount) };
  const yuan = amount / 100;
  return { en: `CNY ${yuan.toLocaleString('en')}`, zh: chineseYuan(yuan) };
}

export function amountsWords(amounts: readonly number[], unit?: string): Words {
  const words = amounts.map((amount) => amountWords(amount, unit));
  return { en: words.map(({ en }) => en).join(unit === cents ? '; ' : ', '), zh: words.map(({ zh }) => zh).join('、') };
}

/** In 万 or 亿 where that is a whole number. */
function chineseYuan(yuan: number): string {
  for (const [size, word] of [[1e8, '亿'], [1e4, '万']] as const) if (yuan !== 0 && Number.isInteger(yuan / size)) return `${yuan / size}${word}元`;
  return `${yuan}元`;
}
