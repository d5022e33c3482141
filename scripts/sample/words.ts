import { identityCheckDigit } from '../../src/source/values.ts';
import type { Random } from './random.ts';

const surnames = [...'王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高'];
const givenNames = [...'伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建文辉力宁浩宇'];
const brandWords = ['启明', '远航', '恒信', '瑞丰', '华彩', '博雅', '中科', '汇通', '天成', '鼎盛', '金桥', '新源', '海川', '东升', '百川', '星辰', '安泰', '晨光', '嘉禾', '万象'];
const industryWords: Readonly<Record<string, string>> = {
  A: '农业', C: '机械制造', E: '建筑工程', F: '贸易', G: '物流', H: '餐饮管理', I: '信息技术', L: '商务服务', M: '检测技术', O: '维修服务',
};

/** Industry sections that occur in the sample. */
export const industries = Object.keys(industryWords);

/** A person's name, two or three characters. */
export function personName(random: Random): string {
  return random.pick(surnames) + random.pick(givenNames) + (random.chance(0.6) ? random.pick(givenNames) : '');
}

export function companyName(random: Random, city: string, industry: string): string {
  return `${city.replace('市', '')}${random.pick(brandWords)}${random.pick(brandWords)}样本${industryWords[industry] ?? ''}有限公司`;
}

/** A number with a right check digit in a division (99xxxx) that does not exist. */
export function identityNumber(random: Random): string {
  const day = `${random.between(1955, 2000)}${two(random.between(1, 12))}${two(random.between(1, 28))}`;
  const first17 = `99${digits(random, 4)}${day}${digits(random, 3)}`;
  return first17 + identityCheckDigit(first17);
}

export function phoneNumber(random: Random): string {
  return `142${digits(random, 8)}`;
}

export function emailAddress(random: Random, local: string): string {
  return `${local}${digits(random, 5)}@example.com`;
}

export function bankAccount(random: Random): string {
  return `9999${digits(random, 15)}`;
}

export function streetAddress(random: Random, region: readonly [string, string, string, string]): string {
  const [, province, city, district] = region;
  return `${province === city ? '' : province}${city}${district}样本路${random.between(1, 999)}号${random.between(1, 30)}层`;
}

export function digits(random: Random, count: number): string {
  let text = '';
  for (let at = 0; at < count; at += 1) text += random.below(10);
  return text;
}

export function two(number: number): string {
  return String(number).padStart(2, '0');
}
