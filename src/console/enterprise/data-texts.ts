import { texts } from '../shell/language.tsx';

/** Words of the page about one's data and account. */
export const dataTexts = texts(
  {
    title: 'My data and account', account: 'Account', accountLead: 'Password and passkeys are managed on the sign-in pages; you come back here afterwards.', signedInAs: 'Signed in as',
    username: 'User name', subject: 'Unified social credit code', ends: 'Session ends at the latest', password: 'Change password', passkeys: 'Passkeys',
  },
  {
    title: '数据导出与账户', account: '账户', accountLead: '密码和通行密钥在登录页面管理，完成后可返回此处。', signedInAs: '当前用户', username: '用户名', subject: '统一社会信用代码', ends: '会话最迟结束时间', password: '修改密码', passkeys: '通行密钥',
  },
);
