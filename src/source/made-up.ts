import type { Field, Value } from '../vocabulary.ts';

/** Texts that look like what departments hold and belong to nobody: numbers are those of examples and test suites. */
const texts: readonly { readonly like: RegExp; readonly values: readonly string[] }[] = [
  { like: /phone|mobile|tel/, values: ['13800138000', '010-12345678', '18612345678'] },
  { like: /mail/, values: ['zhang.san@example.com', 'office@example.org', 'li4@example.net'] },
  { like: /identity|id_number/, values: ['11010519491231002X', '440524188001010014', '130503670401001'] },
  { like: /uscc|credit_code|subject/, values: ['91350211M000100Y46', '91350100M000100Y43'] },
  { like: /address|location|site/, values: ['福建省厦门市思明区示例路100号3单元502室', '浙江省杭州市西湖区样例街8号', '北京市海淀区示范路1号'] },
  { like: /account/, values: ['6222020200112233445', '6228480402564890018', '1234567890123456'] },
  { like: /representative|person|owner|controller|^name$|contact/, values: ['张伟', '欧阳娜娜', '李明'] },
  { like: /name|customer|company|court|creditor|bank|supplier/, values: ['厦门示例贸易有限公司', '杭州样例制造股份有限公司', '示范区人民法院'] },
  { like: /no$|number|code|serial/, values: ['(2024)示0100民初00123号', 'A2024001234', '350200123456', '12345678'] },
];
const anyTexts = [...texts.flatMap(({ values }) => values), '示例文字', 'ABC123', '350200', 'A1'];
const dates = ['2024-03-15', '2025-11-02', '2026-06-30'];

/**
 * A few values such as the field could have, made up from its description: never read from anywhere. Empty for a text whose
 * form nothing here has.
 */
export function madeUpValues(field: Field): Value[] {
  switch (field.type) {
    case 'boolean': return [true, false];
    case 'date': return [...dates];
    case 'code': return Object.keys(field.codes ?? {}).slice(0, 3);
    case 'integer': return numbers(field).map(Math.round);
    case 'decimal': return numbers(field).map((value) => value.toFixed(field.scale ?? 0));
    case 'text': return textsOf(field);
    default: return field.type satisfies never;
  }
}

/** Money from small to large; other numbers over their range, on the side where most lie. */
function numbers({ min = 0, max = 1_000_000, unit }: Field): number[] {
  const wished = unit === 'CNY cent' ? [1_234_567, 45_678_900, 3_210_000_000] : [0.04, 0.23, 0.61].map((part) => min + (Math.min(max, Math.max(1000, min * 2)) - min) * part);
  return [...new Set(wished.map((value) => Math.min(max, Math.max(min, value))))];
}

function textsOf({ name, pattern, maxLength = 4096 }: Field): string[] {
  const form = pattern === undefined ? undefined : new RegExp(`^(?:${pattern})$`, 'u');
  const fits = (value: string) => value.length <= maxLength && (form === undefined || form.test(value));
  const alike = texts.filter(({ like }) => like.test(name)).flatMap(({ values }) => values);
  return [...new Set([...alike, ...anyTexts])].filter(fits).slice(0, 3);
}
