import type { Language } from '../consent-desk.ts';

export type { Language };

/** The language wished for: an explicit choice first, then the browser's list (RFC 9110, 12.5.4), else Chinese. */
export function chooseLanguage(choices: readonly (string | undefined)[], acceptLanguage: string | undefined): Language {
  for (const choice of choices) {
    if (choice === 'zh' || choice === 'en') return choice;
  }
  const wished = (acceptLanguage ?? '')
    .slice(0, 500)
    .split(',')
    .map((entry) => {
      const [tag = '', ...parameters] = entry.trim().split(';');
      const weight = parameters.map((parameter) => /^\s*q=([0-9.]+)$/.exec(parameter)?.[1]).find((q) => q !== undefined);
      return { language: tag.toLowerCase().split('-')[0], weight: weight === undefined ? 1 : Number(weight) };
    })
    .filter(({ language, weight }) => (language === 'zh' || language === 'en') && weight > 0)
    .sort((first, second) => second.weight - first.weight);
  return wished[0]?.language === 'en' ? 'en' : 'zh';
}

const en = {
  product: 'Financing credit service platform',
  otherLanguage: '中文',
  skip: 'Skip to content',
  signedInFor: 'Signed in for',
  signOut: 'Sign out',
  myConsents: 'My consents',
  signIn: 'Sign in',
  signInLead: 'For representatives of enterprises.',
  username: 'User name',
  password: 'Password',
  passwordAgain: 'Password once more',
  passwordHint: 'At least 12 characters.',
  passwordsDiffer: 'The two passwords are not the same: type them again.',
  noAccount: 'First time here? Activate your account with the code from the registrar.',
  haveAccount: 'Account already active? Sign in.',
  activate: 'Activate account',
  activateLead: 'With the activation code that the registrar gave you, choose a user name and a password. The code works once.',
  subject: 'Unified social credit code',
  code: 'Activation code',
  usernameHint: '3 to 64 letters, digits, dots, hyphens, underscores or @.',
  consentTitle: 'Request for your consent',
  asks: 'asks for data about your enterprise',
  why: 'What for',
  howLong: 'How long',
  howOften: 'How often',
  dataPeriod: 'Data about the time',
  deletion: 'Deletion',
  deletionText: (days: number) => `The institution must delete what it received ${days} days after it received it.`,
  from: 'from',
  until: 'until',
  anyTime: 'any time',
  once: 'once',
  periodically: 'repeatedly',
  usesText: (uses: number | null) => (uses === null ? 'without limit on the number of answers' : `at most ${uses} answers`),
  frequencyText: (max: number, per: 'day' | 'week' | 'month') => `at most ${max} a ${per}`,
  validDays: 'Valid for days',
  validDaysText: (days: number) => `${days} days from now`,
  usesMax: 'Answers at most',
  narrowHint: 'You may take fields away, show less of them, and make it shorter. You cannot add anything.',
  fields: 'Which data',
  ceiling: 'Shown as',
  ceilings: { original: 'original', desensitised: 'desensitised' },
  caps: 'What the platform allows at most for this purpose',
  rights: 'You can pause or revoke your consent here at any time; it acts at once. Declining has no effect on your other consents.',
  agree: 'I have read this and consent on behalf of the enterprise.',
  agreeFirst: 'Tick that you have read this and consent, or decline.',
  grant: 'Consent',
  decline: 'Decline',
  otherSubjectTitle: 'Not for your enterprise',
  otherSubject: 'You cannot answer this request with the account you are signed in with. Nothing was granted.',
  back: 'Back to the institution',
  noConsents: 'Your enterprise has not consented to anything yet.',
  states: { active: 'active', paused: 'paused', revoked: 'revoked', exhausted: 'used up', expired: 'expired' },
  grantedOn: 'Granted on',
  validUntil: 'Valid until',
  usesLeft: 'Answers left',
  unlimited: 'not limited',
  pause: 'Pause',
  resume: 'Resume',
  revoke: 'Revoke',
  revokeSure: 'Revoking cannot be undone.',
  receipt: 'Download receipt',
  purpose: 'Purpose',
  done: { pause: 'The consent is paused.', resume: 'The consent is valid again.', revoke: 'The consent is revoked.' },
  errorTitle: 'That did not work',
  notFound: 'There is nothing at this address.',
  expired: 'This request has expired, was answered already, or was begun in another browser. Start again from the institution\'s page.',
  requestFailed: 'The request of the institution could not be carried out. Start again from its page.',
  forged: 'The form is no longer valid. Go back, reload the page and try again.',
  tooLarge: 'The request is too large.',
  unavailable: 'The server cannot answer right now; nothing was changed. Try again in a few seconds.',
  errorCode: 'Code',
  noticeHead: 'Consent notice',
  list: (items: readonly string[]) => items.join('; '),
};

/** Every sentence of the pages in one language. */
export type Texts = typeof en;

const zh: Texts = {
  product: '融资信用服务平台',
  otherLanguage: 'English',
  skip: '跳到正文',
  signedInFor: '当前企业',
  signOut: '退出登录',
  myConsents: '我的授权',
  signIn: '登录',
  signInLead: '供企业代表使用。',
  username: '用户名',
  password: '密码',
  passwordAgain: '再次输入密码',
  passwordHint: '至少 12 个字符。',
  passwordsDiffer: '两次输入的密码不一致，请重新输入。',
  noAccount: '首次使用？请用登记机构给您的激活码激活账户。',
  haveAccount: '账户已激活？请登录。',
  activate: '激活账户',
  activateLead: '请凭登记机构给您的激活码设置用户名和密码。激活码只能使用一次。',
  subject: '统一社会信用代码',
  code: '激活码',
  usernameHint: '3 到 64 个字母、数字、点、连字符、下划线或 @。',
  consentTitle: '授权申请',
  asks: '申请查询贵企业的数据',
  why: '用途',
  howLong: '授权期限',
  howOften: '使用次数',
  dataPeriod: '数据所属期间',
  deletion: '删除',
  deletionText: (days) => `该机构须在收到数据 ${days} 天后删除。`,
  from: '自',
  until: '至',
  anyTime: '不限',
  once: '一次性',
  periodically: '多次',
  usesText: (uses) => (uses === null ? '次数不限' : `最多 ${uses} 次`),
  frequencyText: (max, per) => `每${{ day: '日', week: '周', month: '月' }[per]}最多 ${max} 次`,
  validDays: '有效天数',
  validDaysText: (days) => `自今日起 ${days} 天`,
  usesMax: '最多使用次数',
  narrowHint: '您可以取消部分数据项、降低展示程度、缩短期限或减少次数，但不能增加。',
  fields: '数据项',
  ceiling: '展示程度',
  ceilings: { original: '原始数据', desensitised: '脱敏数据' },
  caps: '平台对该用途允许的上限',
  rights: '您可以随时在此暂停或撤回授权，立即生效。拒绝本次申请不影响您的其他授权。',
  agree: '我已阅读以上内容，并代表企业同意授权。',
  agreeFirst: '请勾选“已阅读并同意”，或选择拒绝。',
  grant: '同意授权',
  decline: '拒绝',
  otherSubjectTitle: '不属于贵企业的申请',
  otherSubject: '您当前登录的账户不能答复此申请。未作任何授权。',
  back: '返回申请机构',
  noConsents: '贵企业尚未作出任何授权。',
  states: { active: '有效', paused: '已暂停', revoked: '已撤回', exhausted: '次数已用完', expired: '已到期' },
  grantedOn: '授权时间',
  validUntil: '有效期至',
  usesLeft: '剩余次数',
  unlimited: '不限',
  pause: '暂停',
  resume: '恢复',
  revoke: '撤回',
  revokeSure: '撤回后不能恢复。',
  receipt: '下载授权凭证',
  purpose: '用途',
  done: { pause: '授权已暂停。', resume: '授权已恢复。', revoke: '授权已撤回。' },
  errorTitle: '操作未完成',
  notFound: '该地址没有内容。',
  expired: '该申请已过期、已答复，或是在另一浏览器中发起。请从申请机构的页面重新开始。',
  requestFailed: '该机构的申请无法完成。请从申请机构的页面重新开始。',
  forged: '表单已失效。请返回并刷新页面后重试。',
  tooLarge: '请求过大。',
  unavailable: '服务器暂时无法答复，未作任何更改。请稍后重试。',
  errorCode: '代码',
  noticeHead: '授权告知书',
  list: (items) => items.join('；'),
};

export const texts: Readonly<Record<Language, Texts>> = { en, zh };

/** Calendar day in the platform's time zone. */
export function dayText(timeMs: number, language: Language): string {
  return new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en-GB', { dateStyle: 'long', timeZone: 'Asia/Shanghai' }).format(timeMs);
}
