import assert from 'node:assert/strict';
import fc from 'fast-check';
import divisions from '../../../src/disclosure/treatments/divisions.json' with { type: 'json' };
import { address, type AddressLevel } from '../../../src/disclosure/treatments/address.ts';

/** Address → what each level shows of it, without the fill. */
const cases: Readonly<Record<string, readonly [province: string, city: string, district: string]>> = {
  浙江省杭州市西湖区文三路100号2幢: ['浙江省', '浙江省杭州市', '浙江省杭州市西湖区'],
  '中国 浙江省 杭州市 西湖区 文三路': ['浙江省', '浙江省杭州市', '浙江省杭州市西湖区'],
  '310012浙江省杭州市西湖区': ['浙江省', '浙江省杭州市', '浙江省杭州市西湖区'],
  浙江杭州西湖区文三路: ['浙江省', '浙江省杭州市', '浙江省杭州市西湖区'],
  杭州市西湖区文三路: ['浙江省', '浙江省杭州市', '浙江省杭州市西湖区'],
  北京市海淀区中关村大街1号: ['北京市', '北京市', '北京市海淀区'],
  北京市北京市海淀区中关村大街1号: ['北京市', '北京市', '北京市海淀区'],
  北京市市辖区海淀区中关村大街1号: ['北京市', '北京市', '北京市海淀区'],
  上海浦东新区世纪大道1号: ['上海市', '上海市', '上海市浦东新区'],
  重庆市酉阳土家族苗族自治县板溪路: ['重庆市', '重庆市', '重庆市酉阳土家族苗族自治县'],
  内蒙古自治区呼和浩特市新城区海拉尔大街: ['内蒙古自治区', '内蒙古自治区呼和浩特市', '内蒙古自治区呼和浩特市新城区'],
  内蒙古锡林郭勒盟正蓝旗上都镇: ['内蒙古自治区', '内蒙古自治区锡林郭勒盟', '内蒙古自治区锡林郭勒盟正蓝旗'],
  广西壮族自治区南宁市青秀区民族大道: ['广西壮族自治区', '广西壮族自治区南宁市', '广西壮族自治区南宁市青秀区'],
  新疆维吾尔自治区伊犁哈萨克自治州伊宁市解放路: ['新疆维吾尔自治区', '新疆维吾尔自治区伊犁哈萨克自治州', '新疆维吾尔自治区伊犁哈萨克自治州伊宁市'],
  湖北省仙桃市沔阳大道: ['湖北省', '湖北省', '湖北省仙桃市'],
  江苏省昆山市前进路: ['江苏省', '江苏省苏州市', '江苏省苏州市昆山市'],
  江苏省鼓楼区中山路: ['江苏省', '江苏省', '江苏省'], // two cities have one
  吉林市船营区河南街: ['吉林省', '吉林省吉林市', '吉林省吉林市船营区'],
  海南藏族自治州共和县恰卜恰镇: ['青海省', '青海省海南藏族自治州', '青海省海南藏族自治州共和县'],
  浙江省文三路超市旁1号: ['浙江省', '浙江省', '浙江省'],
  浙江省杭州路1号: ['浙江省', '浙江省', '浙江省'],
  上海路5号: ['', '', ''],
  文三路100号: ['', '', ''],
  '1 Main Street, Springfield': ['', '', ''],
  '': ['', '', ''],
};
const levels: readonly AddressLevel[] = ['province', 'city', 'district'];

describe('address', () => {
  for (const [written, shown] of Object.entries(cases)) {
    levels.forEach((level, at) => {
      it(`shows "${shown[at]}" of ${written === '' ? 'nothing' : written} at ${level} level`, () => assert.equal(address(written, level), `${shown[at]}****`));
    });
  }

  it('knows every division of its list', () => {
    for (const [province, cities] of Object.entries(divisions)) {
      for (const [city, districts] of Object.entries(cities as Record<string, string>)) {
        for (const district of districts.split(' ').filter((name) => name !== '')) {
          const written = `${province}${city}${district}人民路1号`;
          assert.equal(address(written, 'district'), `${province}${city}${district}****`);
          assert.equal(address(written, 'city'), `${province}${city}****`);
          assert.equal(address(written, 'province'), `${province}****`);
        }
      }
    }
  });

  it('shows names of its list and nothing else, whatever is written', () => {
    const names = Object.entries(divisions).flatMap(([province, cities]) => Object.entries(cities as Record<string, string>).flatMap(([city, districts]) => [province + city, ...districts.split(' ').map((district) => province + city + district)]));
    const shownAtAll = new Set(['', ...Object.keys(divisions), ...names].map((name) => `${name}****`));
    const parts = fc.constantFrom('浙江省', '浙江', '杭州市', '杭州', '西湖区', '吉林', '市', '区', '县', '秘密', '王伟', '路', '1号', ' ', '中国', '310012', '𠮷');
    fc.assert(fc.property(fc.array(parts, { maxLength: 8 }), fc.constantFrom(...levels), (written, level) => {
      assert.ok(shownAtAll.has(address(written.join(''), level)));
    }), { numRuns: 1000 });
  });
});
