import divisions from './divisions.json' with { type: 'json' };
import { fill } from './text.ts';

/**
 * Cuts an address to an administrative division. Only names of the list of divisions (GB/T 2260: provinces with their
 * prefecture-level and county-level divisions) are ever shown, in the list's own spelling; an address the list does
 * not know shows nothing. Guessing by the endings 省 市 区 县 would show whatever happens to end in one of them.
 */
export type AddressLevel = 'province' | 'city' | 'district';

type City = { readonly name: string; readonly districts: ReadonlyMap<string, string> };
type Province = {
  readonly name: string;
  /** By full name; municipalities and county-level divisions without a prefecture stand under ''. */
  readonly cities: ReadonlyMap<string, City>;
  /** District to its city, null where two cities have one of that name. */
  readonly cityOfDistrict: ReadonlyMap<string, City | null>;
};

const shortNames: Readonly<Record<string, string>> = {
  内蒙古自治区: '内蒙古', 广西壮族自治区: '广西', 西藏自治区: '西藏', 宁夏回族自治区: '宁夏', 新疆维吾尔自治区: '新疆',
  香港特别行政区: '香港', 澳门特别行政区: '澳门',
};
const provinces = Object.entries(divisions as Readonly<Record<string, Readonly<Record<string, string>>>>).map(readProvince);
const provinceByName = new Map(provinces.map((province) => [province.name, province]));
const provinceByShortName = new Map(provinces.map((province) => [shortNames[province.name] ?? province.name.slice(0, -1), province]));
const provinceByCity = new Map(provinces.flatMap((province) => [...province.cities.keys()].map((city) => [city, province])));
const nameLengthMax = 15;
const shortCityNameLengthMax = 5;
/** Further in, an address names no division of these levels any more. */
const addressLengthMax = 400;

function readProvince([name, byCity]: [string, Readonly<Record<string, string>>]): Province {
  const cities = new Map<string, City>();
  const cityOfDistrict = new Map<string, City | null>();
  for (const [cityName, list] of Object.entries(byCity)) {
    const city = { name: cityName, districts: new Map(list.split(' ').filter((district) => district !== '').map((district) => [district, district])) };
    cities.set(cityName, city);
    for (const district of city.districts.keys()) cityOfDistrict.set(district, cityOfDistrict.has(district) ? null : city);
  }
  return { name, cities, cityOfDistrict };
}

/** The division and the fill: `浙江省杭州市****` for level `city`; a higher division where the address names no deeper one. */
export function address(text: string, level: AddressLevel): string {
  const written = text.slice(0, addressLengthMax).replace(/\s/g, '').replace(/^(?:\d{6})?(?:中华人民共和国|中国)?(?:\d{6})?/, '');
  const found = locate(written);
  if (found === undefined) return fill;
  const { province, city, district } = found;
  if (level === 'province') return province + fill;
  return province + city + (level === 'district' ? district : '') + fill;
}

type Location = { readonly province: string; readonly city: string; readonly district: string };

function locate(written: string): Location | undefined {
  const full = longestPrefix(written, provinceByName);
  if (full !== undefined) return within(full.found, withoutRepetition(written.slice(full.length), full.found.name));
  const byCity = longestPrefix(written, provinceByCity);
  if (byCity !== undefined) return within(byCity.found, written);
  // a short name alone may be a street's: 上海路; it counts when a division of that province follows
  const short = longestPrefix(written, provinceByShortName);
  const found = short && within(short.found, withoutRepetition(written.slice(short.length), short.found.name));
  return found === undefined || (found.city === '' && found.district === '') ? undefined : found;
}

/** Municipalities are often written twice, or with the statistical name of their districts. */
function withoutRepetition(rest: string, province: string): string {
  const repeated = [province, '市辖区'].find((name) => rest.startsWith(name));
  return repeated === undefined ? rest : rest.slice(repeated.length);
}

function within(province: Province, rest: string): Location {
  const full = longestPrefix(rest, province.cities);
  if (full !== undefined) {
    return { province: province.name, city: full.found.name, district: longestPrefix(rest.slice(full.length), full.found.districts)?.found ?? '' };
  }
  // by its short name only when one of its own districts follows: 杭州西湖区, but not 杭州路
  for (let length = 2; length <= shortCityNameLengthMax; length += 1) {
    const city = province.cities.get(`${rest.slice(0, length)}市`);
    const district = city && longestPrefix(rest.slice(length), city.districts)?.found;
    if (city !== undefined && district !== undefined) return { province: province.name, city: city.name, district };
  }
  // county-level divisions are often written without their prefecture: 江苏省昆山市
  const alone = longestPrefix(rest, province.cityOfDistrict);
  return { province: province.name, city: alone?.found?.name ?? '', district: alone?.found ? rest.slice(0, alone.length) : '' };
}

/** The longest beginning of the text that the list has, with what the list has for it. */
function longestPrefix<Found>(text: string, list: { readonly get: (name: string) => Found | undefined }): { readonly found: Found; readonly length: number } | undefined {
  for (let length = Math.min(nameLengthMax, text.length); length >= 2; length -= 1) {
    const found = list.get(text.slice(0, length));
    if (found !== undefined) return { found, length };
  }
  return undefined;
}
