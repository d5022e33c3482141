import { usccCheckDigit } from '../../src/uscc.ts';
import type { SubjectId } from '../../src/vocabulary.ts';

/** Administrative divisions (GB/T 2260) the sample's enterprises are registered in, with their names. */
export const regions = [
  ['110105', '北京市', '北京市', '朝阳区'], ['310115', '上海市', '上海市', '浦东新区'], ['440305', '广东省', '深圳市', '南山区'], ['440106', '广东省', '广州市', '天河区'],
  ['320505', '江苏省', '苏州市', '虎丘区'], ['330106', '浙江省', '杭州市', '西湖区'], ['330212', '浙江省', '宁波市', '鄞州区'], ['370202', '山东省', '青岛市', '市南区'],
  ['420106', '湖北省', '武汉市', '武昌区'], ['430104', '湖南省', '长沙市', '岳麓区'], ['510107', '四川省', '成都市', '武侯区'], ['500103', '重庆市', '重庆市', '渝中区'],
  ['610113', '陕西省', '西安市', '雁塔区'], ['350203', '福建省', '厦门市', '思明区'], ['340104', '安徽省', '合肥市', '蜀山区'], ['410105', '河南省', '郑州市', '金水区'],
  ['120101', '天津市', '天津市', '和平区'], ['210102', '辽宁省', '沈阳市', '和平区'], ['450103', '广西壮族自治区', '南宁市', '青秀区'], ['460105', '海南省', '海口市', '秀英区'],
] as const;

const alphabet = '0123456789ABCDEFGHJKLMNPQRTUWXY';
/** Codes a seed can give: six characters of the standard's alphabet. */
export const enterprisesMax = 31 ** 6;
const stride = 48_271; // coprime to 31: the same code never comes twice
const seedStride = 104_729;

/** Which of `regions` enterprise n is registered in. */
export function regionOf(n: number, seed: number): (typeof regions)[number] {
  return regions[(n * 7 + seed) % regions.length] as (typeof regions)[number];
}

/**
 * The made-up credit code of enterprise n, n from 0. Its check digit is right, but the organisation code inside ends
 * in Y, which GB 11714 never gives out: no real enterprise can have it.
 * @param seed whole number, 0 to 10^9
 */
export function sampleSubject(n: number, seed: number): SubjectId {
  let rest = (n * stride + seed * seedStride) % enterprisesMax;
  let serial = '';
  for (let at = 0; at < 6; at += 1) {
    serial = alphabet.charAt(rest % 31) + serial;
    rest = Math.floor(rest / 31);
  }
  const first17 = `91${regionOf(n, seed)[0]}MA${serial}Y`;
  return `${first17}${usccCheckDigit(first17)}` as SubjectId;
}

const weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28] as const;

/**
 * SQL that gives `n` (bigint from 0) and `subject` for the first enterprises: the same codes as sampleSubject.
 * `offset 0` keeps the planner from writing the inner expression out 17 times.
 */
export function sampleSubjectsSql(enterprises: number, seed: number): string {
  const serial = [5, 4, 3, 2, 1, 0].map((power) => `substr('${alphabet}', (x / ${31 ** power} % 31)::int + 1, 1)`).join(' || ');
  const codes = regions.map(([code]) => `'${code}'`).join(', ');
  const sum = weights.map((weight, at) => `${weight} * (strpos('${alphabet}', substr(first17, ${at + 1}, 1)) - 1)`).join(' + ');
  return `
    select n, first17 || substr('${alphabet}', (31 - (${sum}) % 31) % 31 + 1, 1) as subject
      from (select n, '91' || (array[${codes}])[(n * 7 + ${seed}) % ${regions.length} + 1] || 'MA' || ${serial} || 'Y' as first17
              from (select n, (n * ${stride} + ${seed}::bigint * ${seedStride}) % ${enterprisesMax} as x from generate_series(0::bigint, ${enterprises - 1}) as n) as numbered offset 0) as coded`;
}
