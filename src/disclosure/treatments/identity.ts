import { charactersOf, partlyShownLengthMax } from '../characters.ts';
import { fill } from './text.ts';

/**
 * Masks for names, numbers and addresses of persons. Each knows one form; whatever has another form is hidden
 * altogether, for a mask that guesses shows what it should hide. None tells the length.
 */

/** Family names of two characters (复姓) in use. */
const compoundFamilyNames = new Set(
  ('欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 太叔 申屠 公孙 慕容 仲孙 钟离 长孙 '
    + '宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 '
    + '微生 梁丘 左丘 东门 西门 第五').split(' '),
);
const hanName = /^\p{Script=Han}{2,5}$/u;
const givenNameLengthMax = 3;

/**
 * Family name and two stars: `王**`, `欧阳**`. Shows at most two characters; a name of two characters shows one of them.
 * Foreign names, names with `·` and names of organisations show nothing.
 */
export function chineseName(text: string): string {
  if (!hanName.test(text)) return '**';
  const characters = [...text];
  const compound = characters.length > 2 && compoundFamilyNames.has(characters.slice(0, 2).join(''));
  const familyLength = compound ? 2 : 1;
  if (characters.length - familyLength > givenNameLengthMax) return '**';
  return `${characters.slice(0, familyLength).join('')}**`;
}

const residentNumber = /^(\d{6})(?:\d{11}[\dXx]|\d{9})$/;

/**
 * Resident identity numbers of 18 (GB 11643-1999) and 15 digits: the division of first registration (6 digits) and
 * the fill. Birthday, sequence (whose parity is the sex) and check digit stay hidden.
 */
export function identityNumber(text: string): string {
  const division = residentNumber.exec(text)?.[1];
  return division === undefined ? fill : division + fill;
}

const separators = /[\s()（）.-]/g;
const countryCode = /^(?:\+|00)86/;
const mobile = /^(1[3-9]\d)\d{6}(\d{2})$/;
const landline = /^(010|02\d|0[3-9]\d{2})\d{7,8}$/;
const telephoneLengthMax = 32;

/** Mobile: network prefix and the last two digits, `138****78`. Landline: area code, `0571****`. */
export function phone(text: string): string {
  if (text.length > telephoneLengthMax) return fill;
  const digits = text.replace(separators, '').replace(countryCode, '');
  const mobileParts = mobile.exec(digits);
  if (mobileParts !== null) return `${mobileParts[1]}${fill}${mobileParts[2]}`;
  const area = landline.exec(digits)?.[1];
  return area === undefined ? fill : area + fill;
}

const mailbox = /^([^@\s]+)@[^@\s]+$/u;
/** Of shorter ones a single character is too much. */
const localLengthMin = 3;

/** First character of the local part: `z****@****`. The domain stays hidden: many persons own theirs. */
export function email(text: string): string {
  const local = text.length > partlyShownLengthMax ? undefined : mailbox.exec(text)?.[1];
  if (local === undefined) return fill;
  const characters = charactersOf(local);
  if (characters.length < localLengthMin) return fill;
  return `${characters.slice(0, 1)}${fill}@${fill}`;
}

const accountNumber = /^\d{8,26}(\d{4})$/;
const accountLengthMax = 64;

/** The last four digits of an account or card number of 12 to 30 digits: `****6789`. */
export function bankAccount(text: string): string {
  const lastFour = text.length > accountLengthMax ? undefined : accountNumber.exec(text.replace(/[ -]/g, ''))?.[1];
  return lastFour === undefined ? fill : fill + lastFour;
}
