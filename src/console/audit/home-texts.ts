import { texts } from '../shell/language.tsx';

/** Words of the auditor's first page. */
export const homeTexts = texts(
  {
    lead: 'The platform\'s log, and what follows from it. Nothing you do here changes anything; what you read of signed requests is logged.',
    log: 'The log', unknown: 'This browser does not know the log yet: remember its key, so that a rewritten log is noticed.',
    unreadable: 'What this browser remembered of the log is damaged.', neverVerified: 'The key is remembered, but nothing was verified yet.',
    verified: 'Last found right on {time} with {size} entries.', toVerification: 'Verify the log', month: 'This month', toReport: 'The whole report', refusals: 'Newest refusals',
    noRefusals: 'Nothing was refused yet.', toLog: 'All refusals',
  },
  {
    lead: '平台的日志及其反映的情况。您在此不会改变任何内容；调阅签名请求会记入日志。',
    log: '日志', unknown: '本浏览器尚未见过该日志：请先留存其公钥，以便发现日志被改写。', unreadable: '本浏览器留存的日志信息已损坏。', neverVerified: '公钥已留存，尚未进行过验证。',
    verified: '上次验证通过：{time}，共 {size} 条。', toVerification: '验证日志', month: '本月情况', toReport: '查看完整报告', refusals: '最新的拒绝', noRefusals: '尚无被拒绝的请求。', toLog: '查看全部拒绝',
  },
);
