import { texts } from '../shell/language.tsx';

/** Words of the page about one's data and account. */
export const dataTexts = texts(
  {
    title: 'My data and account',
    export: 'Take your data along', exportLead: 'Everything the platform holds of your enterprise: records of all departments, grants, requests, objections and the access history. The platform signs it, so that others can rely on it.',
    masked: 'Personal data of the people behind the enterprise is masked. Taking your data along is itself an entry of your history.', all: 'Everything as JSON (one object a line)', table: 'One part as a table', part: 'Part', csv: 'Download as CSV',
    partGrants: 'Grants', partRequests: 'Requests for grants', partObjections: 'Objections', partAccesses: 'Access history',
    tableHint: 'Opens in any spreadsheet; a second file, with the ending .jws, is the platform\'s signature on it.', checked: 'Checked in this browser: complete, unchanged and signed by the platform. {count} lines, entry {index} of the log.',
    checkedTable: 'Checked in this browser: unchanged and signed by the platform. Entry {index} of the log.',
    account: 'Account', accountLead: 'Password and passkeys are managed on the sign-in pages; you come back here afterwards.', signedInAs: 'Signed in as', username: 'User name', subject: 'Unified social credit code',
    ends: 'Session ends at the latest', password: 'Change password', passkeys: 'Passkeys',
  },
  {
    title: '数据导出与账户',
    export: '导出本企业数据', exportLead: '平台持有的全部本企业数据：各部门登记的数据、授权、授权申请、异议及查询记录。导出文件由平台签名，可供他方采信。',
    masked: '企业相关自然人的个人信息已脱敏。导出本身也会记入您的查询记录。', all: '导出全部（JSON，每行一个对象）', table: '按部分导出表格', part: '导出内容', csv: '下载 CSV',
    partGrants: '授权', partRequests: '授权申请', partObjections: '异议', partAccesses: '查询记录',
    tableHint: '可用任意电子表格软件打开；另附 .jws 文件，为平台对该表格的签名。', checked: '已在本浏览器中验证：内容完整、未被改动，并由平台签名。共 {count} 行，日志第 {index} 条。',
    checkedTable: '已在本浏览器中验证：未被改动，并由平台签名。日志第 {index} 条。',
    account: '账户', accountLead: '密码和通行密钥在登录页面管理，完成后可返回此处。', signedInAs: '当前用户', username: '用户名', subject: '统一社会信用代码',
    ends: '会话最迟结束时间', password: '修改密码', passkeys: '通行密钥',
  },
);
