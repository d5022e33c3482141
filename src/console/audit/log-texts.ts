import { texts } from '../shell/language.tsx';

/** Words of the log's list. */
export const logTexts = texts(
  {
    lead: 'Every decision and every release, by what it was about. Enterprises stand as pseudonyms here; opening an entry shows its record.',
    caption: 'Entries of the log, newest first', filters: 'Filters', moreFilters: 'More filters', apply: 'Apply filters', clear: 'Remove filters',
    from: 'From day', until: 'Up to day', group: 'About', kind: 'Event', institution: 'Institution', purpose: 'Purpose', outcome: 'Outcome', code: 'Error code of a refusal',
    dataset: 'Dataset', policy: 'Policy version (SHA-256)',
    actor: 'Done by (party)', first: 'From entry number', last: 'Up to entry number', codeHint: 'Such as CONSENT_REQUIRED.', policyHint: '64 hexadecimal characters, as an entry shows it.',
    all: 'All', released: 'Given', refused: 'Refused', wrong: 'This cannot be looked for: correct it or leave it empty.',
    answers: 'Answers and scores given', refusals: 'Refusals', grants: 'Grants', institutions: 'Institutions', people: 'Enterprises, people, keys', records: 'Records supplied',
    objections: 'Objections', models: 'Models', joint: 'Joint modelling', oversight: 'Oversight',
    policyGroup: 'Policy',
    number: 'Number', time: 'Time', event: 'Event', by: 'Done by', subject: 'Enterprise (pseudonym)', result: 'Result',
    nothing: 'No entry matches these filters.', goOn: 'None of the entries looked at so far match; older ones may. Go on to the older entries.', none: 'The log is empty.',
    noMore: 'These were all entries.',
    behind: 'The newest {count} entries cannot be found by filters yet. Try again shortly.', erased: 'record erased', datasets: 'Datasets', listed: ', ',
  },
  {
    lead: '平台的每一项决定与每一次数据提供均在此按事项列出。列表中企业以假名显示，打开条目可查看其记录。',
    caption: '日志条目（最新在前）', filters: '筛选条件', moreFilters: '更多条件', apply: '筛选', clear: '清除条件',
    from: '起始日期', until: '截止日期', group: '类别', kind: '事项', institution: '机构', purpose: '用途', outcome: '结果', code: '拒绝的错误代码', dataset: '数据集', policy: '策略版本（SHA-256）',
    actor: '操作方', first: '起始序号', last: '截止序号', codeHint: '例如 CONSENT_REQUIRED。', policyHint: '64 位十六进制字符，见日志条目。',
    all: '全部', released: '已提供', refused: '已拒绝', wrong: '格式不正确，请改正或留空。',
    answers: '答复与评分', refusals: '拒绝', grants: '授权', institutions: '机构', people: '企业、人员与密钥', records: '数据供给', objections: '异议', models: '模型', joint: '联合建模', oversight: '监督',
    policyGroup: '策略',
    number: '序号', time: '时间', event: '事项', by: '操作方', subject: '企业（假名）', result: '结果',
    nothing: '没有符合条件的条目。', goOn: '已查看的条目中没有符合条件的，更早的条目可能有。请继续查看较早的条目。', none: '日志中尚无条目。', noMore: '已显示全部条目。',
    behind: '最新的 {count} 条暂不能按条件查找，请稍后再试。', erased: '记录已删除', datasets: '数据集', listed: '、',
  },
);

/** Kinds of refusals for people; the code is always shown beside them. */
export const codeWords: Readonly<Record<string, { readonly en: string; readonly zh: string }>> = {
  CONSENT_REQUIRED: { en: 'no grant', zh: '没有授权' }, CONSENT_EXPIRED: { en: 'grant ended', zh: '授权已到期' }, CONSENT_EXHAUSTED: { en: 'grant used up', zh: '授权次数用尽' },
  CONSENT_FREQUENCY_EXCEEDED: { en: 'more often than granted', zh: '超出授权频次' }, CONSENT_PAUSED: { en: 'grant paused', zh: '授权已暂停' }, CONSENT_REVOKED: { en: 'grant revoked', zh: '授权已撤销' },
  CONSENT_NOT_YET_VALID: { en: 'grant not valid yet', zh: '授权尚未生效' }, CONSENT_NOT_FOUND: { en: 'no such grant', zh: '授权不存在' },
  QUERY_NOTHING_PERMITTED: { en: 'nothing of it is permitted', zh: '所查内容均不允许' }, QUERY_FILTER_NOT_PERMITTED: { en: 'selection not permitted', zh: '筛选条件不允许' },
  QUERY_ATTEMPTS_EXHAUSTED: { en: 'claims tried until the limit', zh: '核验次数用尽' }, QUERY_INVALID: { en: 'query malformed', zh: '查询格式不正确' },
  INSTITUTION_NOT_ACTIVE: { en: 'institution not admitted', zh: '机构未获准或已暂停' }, INSTITUTION_ASSESSMENT_EXPIRED: { en: 'assessment out of date', zh: '安全评估已过期' },
  TOKEN_REPLAYED: { en: 'token used twice', zh: '令牌重复使用' }, REQUEST_QUOTA_EXCEEDED: { en: 'day\'s quota exceeded', zh: '超出当日限额' },
  POLICY_PURPOSE_UNKNOWN: { en: 'purpose not in force', zh: '用途未生效' },
  SCORE_LIMIT_REACHED: { en: 'scores would tell too much', zh: '评分次数达到上限' }, STORE_UNAVAILABLE: { en: 'data could not be read', zh: '数据暂时无法读取' },
};
