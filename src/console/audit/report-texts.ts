import { texts } from '../shell/language.tsx';

/** Words of the monthly work report. */
export const reportTexts = texts(
  {
    lead: 'What the platform did in a month, counted from the log. No enterprise is named. Figures below five are not for publication.',
    month: 'Month', monthHint: 'Such as 2026-11.', monthWrong: 'Write year and month, such as 2026-11.', show: 'Show', reportOf: 'Work report for {month}',
    soFar: 'As far as the month has come, on {time}. It is closed and signed once the month is over.', closed: 'Closed on {time}, signed and logged: it never changes again.',
    behind: 'The newest {count} entries of the log are not counted yet.',
    digest: 'Digest', entry: 'Entry of the log', entryNumber: 'Entry {index}', signed: 'Signature checked in this browser: the platform signed exactly this report at {time}.',
    json: 'Download JSON', csv: 'Download CSV',
    released: 'Answers and scores given', refused: 'Refused', verifications: 'Claims compared', served: 'Enterprises served', enterprises: 'Registered enterprises',
    institutions: 'Admitted institutions', ofMonth: '{count} in this month',
    byInstitution: 'By institution', byPurpose: 'By purpose', byDataset: 'By dataset', byOutcome: 'Refusals by code', byDisposition: 'How fields were treated', supplied: 'Records supplied',
    events: 'Everything logged, by kind',
    institution: 'Institution', purpose: 'Purpose', dataset: 'Dataset', kind: 'Kind', query: 'Query', score: 'Score', score_job_part: 'Scores of a list', joint_release: 'Joint modelling',
    scored: 'Enterprises scored in lists', results: 'Joint results',
    grants: 'Grants given', answers: 'Answers', scores: 'Scores', servedIn: 'Enterprises in lists', rows: 'Rows given', rowsLoaded: 'Rows loaded', code: 'Error code', count: 'Times',
    treated: 'Treated as', fields: 'Fields', use: 'Use',
    event: 'Event', inMonth: 'In this month', ever: 'Ever', none: 'Nothing of this kind in this month.', noInstitution: 'none named',
  },
  {
    lead: '平台一个月的工作情况，由日志统计得出，不涉及任何企业名称。小于五的数字不得公布。',
    month: '月份', monthHint: '例如 2026-11。', monthWrong: '请填写年月，例如 2026-11。', show: '查看', reportOf: '{month} 工作报告',
    soFar: '截至 {time} 的本月数据；月份结束后定稿并签名。', closed: '{time} 定稿，已签名并记入日志，此后不再变更。', behind: '日志最新的 {count} 条尚未计入。',
    digest: '摘要', entry: '日志条目', entryNumber: '第 {index} 条', signed: '已在本浏览器验证签名：平台于 {time} 对该报告签名，内容完全一致。',
    json: '下载 JSON', csv: '下载 CSV',
    released: '提供答复与评分', refused: '拒绝', verifications: '核验项数', served: '服务企业数', enterprises: '登记企业', institutions: '接入机构', ofMonth: '本月 {count}',
    byInstitution: '按机构', byPurpose: '按用途', byDataset: '按数据集', byOutcome: '拒绝情况（按代码）', byDisposition: '字段处理方式', supplied: '数据供给', events: '全部日志事项',
    institution: '机构', purpose: '用途', dataset: '数据集', kind: '类型', query: '查询', score: '评分', score_job_part: '批量评分', joint_release: '联合建模', scored: '批量评分企业数', results: '联合建模结果数',
    grants: '新增授权', answers: '答复', scores: '评分', servedIn: '批量评分企业数', rows: '提供行数', rowsLoaded: '装载行数', code: '错误代码', count: '次数', treated: '处理方式', fields: '字段数', use: '使用方式',
    event: '事项', inMonth: '本月', ever: '累计', none: '本月没有此类情况。', noInstitution: '未指明机构',
  },
);
