import assert from 'node:assert/strict';
import { bankAccount, chineseName, email, identityNumber, phone } from '../../../src/disclosure/treatments/identity.ts';

const cases: readonly [name: string, mask: (text: string) => string, expected: Readonly<Record<string, string>>][] = [
  ['chinese_name', chineseName, {
    王伟: '王**', 王小明: '王**', 欧阳娜娜: '欧阳**', 欧阳修: '欧阳**', 欧阳: '欧**', 司马相如: '司马**', 𠮷田: '𠮷**',
    王: '**', '': '**', 买买提·阿凡提: '**', 'John Smith': '**', 杭州某某科技有限公司: '**', 王小明明明: '**', ' 王伟': '**',
  }],
  ['identity_number', identityNumber, {
    '11010519491231002X': '110105****', '440524188001010014': '440524****', '110105491231002': '110105****',
    '1101051949123100': '****', '11010519491231002Y': '****', '': '****', '１１０１０５１９４９１２３１００２Ｘ': '****',
  }],
  ['phone', phone, {
    '13812345678': '138****78', '+86 138 1234 5678': '138****78', '0086-138-1234-5678': '138****78',
    '0571-88886666': '0571****', '(010) 88886666': '010****', '021-8888666': '021****',
    '12345': '****', '95588': '****', '400-820-8820': '****', '+1 202 555 0143': '****', [`138${' '.repeat(40)}12345678`]: '****',
  }],
  ['email', email, {
    'zhangwei@example.com': 'z****@****', 'abc@d.e': 'a****@****', 'ab@example.com': '****', 'no mailbox': '****', '@x': '****', 'a@b@c': '****', '': '****',
  }],
  ['bank_account', bankAccount, {
    '6222021234567890123': '****0123', '6222 0212 3456 7890 123': '****0123', '123456781234': '****1234',
    '12345678123': '****', 'DE89370400440532013000': '****', [`${'1'.repeat(31)}`]: '****', [' '.repeat(60) + '123456781234']: '****',
  }],
];

for (const [name, mask, expected] of cases) {
  describe(name, () => {
    for (const [text, shown] of Object.entries(expected)) {
      it(`shows ${shown} of ${text.trim() === '' ? 'nothing' : text.replace(/\s+/g, ' ')}`, () => assert.equal(mask(text), shown));
    }
  });
}
