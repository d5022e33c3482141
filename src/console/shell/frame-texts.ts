import { texts } from './language.tsx';

/** Words that every page needs. */
export const frameTexts = texts(
  {
    product: 'Veilgate', console: 'Console', skip: 'Skip to the content', navigation: 'Pages', menu: 'Menu',
    signOut: 'Sign out', signIn: 'Sign in', signedInAs: 'Signed in as {name}', language: '中文', languageLabel: '切换到中文',
    loading: 'Loading…', again: 'Try again', back: 'Back', close: 'Close', cancel: 'Cancel', save: 'Save', send: 'Send', search: 'Search', filter: 'Filter', all: 'All', none: 'None', more: 'Show more',
    details: 'Details', download: 'Download', print: 'Print', copy: 'Copy', copied: 'Copied', yes: 'Yes', no: 'No', actions: 'Actions', reason: 'Reason', comment: 'Comment', required: 'required',
    empty: 'There is nothing here yet.', nothingFound: 'Nothing matches these filters.', rows: '{count} rows', changed: 'Done.',
    notFoundTitle: 'No such page', notFound: 'This address leads nowhere, or to a page that is not for your role. Choose a page from the navigation.',
    faultTitle: 'This page could not be shown', fault: 'Something went wrong in the page itself. What was saved is safe. Reload the page to go on.', reload: 'Reload',
    unloadedTitle: 'This page could not be loaded',
    unloaded: 'The platform does not answer, or it has newer pages by now. The pages you have opened before still work: finish there what you typed, then reload.',
    overTitle: 'Your session has ended', over: 'Nothing you typed is lost: sign in again in a new tab, then come back and repeat the last step here.', signInNewTab: 'Sign in in a new tab', signedInAgain: 'I have signed in',
    confirmTitle: 'Is it still you?', confirmWhy: 'This lets somebody in. Type a new one-time password of your app; what you asked for is then done.', oneTimePassword: 'One-time password', confirm: 'Confirm',
    confirmPasskey: 'You sign in with a passkey? Sign in again in another tab, then come back and repeat the step.',
    errorTitle: 'That did not work', errorCode: 'Code {code}', tooManyCharacters: '{count} characters at most', fieldNeeded: 'Fill this in.',
    institution: 'Institution', enterprise: 'Enterprise', department: 'Department', officer: 'Officer', purpose: 'Purpose', dataset: 'Dataset', field: 'Field', time: 'Time', from: 'From', to: 'To', until: 'Until', state: 'State', version: 'Version',
  },
  {
    product: 'Veilgate', console: '工作台', skip: '跳到正文', navigation: '页面', menu: '菜单',
    signOut: '退出登录', signIn: '登录', signedInAs: '当前用户:{name}', language: 'English', languageLabel: 'Switch to English',
    loading: '正在加载…', again: '重试', back: '返回', close: '关闭', cancel: '取消', save: '保存', send: '提交', search: '搜索', filter: '筛选', all: '全部', none: '无', more: '显示更多',
    details: '详情', download: '下载', print: '打印', copy: '复制', copied: '已复制', yes: '是', no: '否', actions: '操作', reason: '理由', comment: '说明', required: '必填',
    empty: '这里还没有内容。', nothingFound: '没有符合筛选条件的内容。', rows: '共 {count} 行', changed: '已完成。',
    notFoundTitle: '没有这个页面', notFound: '这个地址不存在,或不属于您的角色。请从导航中选择页面。',
    faultTitle: '页面无法显示', fault: '页面本身出错。已保存的内容不受影响。请重新加载页面后继续。', reload: '重新加载',
    unloadedTitle: '页面未能加载', unloaded: '平台没有应答,或页面已有新版本。您之前打开过的页面仍可使用:请先在那里提交已填写的内容,再重新加载。',
    overTitle: '登录已过期', over: '您填写的内容没有丢失:请在新标签页重新登录,然后回到这里重复上一步。', signInNewTab: '在新标签页登录', signedInAgain: '我已登录',
    confirmTitle: '请确认仍是您本人', confirmWhy: '这项操作会准入他人。请输入验证器中新的动态口令,确认后将继续执行。', oneTimePassword: '动态口令', confirm: '确认',
    confirmPasskey: '如您使用通行密钥登录:请在另一标签页重新登录,然后回到这里重复该操作。',
    errorTitle: '操作未成功', errorCode: '代码 {code}', tooManyCharacters: '最多 {count} 个字符', fieldNeeded: '请填写此项。',
    institution: '机构', enterprise: '企业', department: '部门', officer: '工作人员', purpose: '用途', dataset: '数据集', field: '字段', time: '时间', from: '起', to: '止', until: '有效至', state: '状态', version: '版本',
  },
);
