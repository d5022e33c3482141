import type { Tone } from '../parts/tag.tsx';
import type { Words } from '../shell/language.tsx';

/** Codes of the platform in words for an enterprise. A code that is not here is shown as it is. */
export type WordTable = Readonly<Record<string, Words>>;

export const wordsFor = (table: WordTable, code: string): Words => table[code] ?? { en: code, zh: code };

export const grantStates = {
  active: { en: 'In force', zh: '生效中' }, paused: { en: 'Paused', zh: '已暂停' }, revoked: { en: 'Revoked', zh: '已撤销' }, exhausted: { en: 'Used up', zh: '次数用完' },
  expired: { en: 'Ended', zh: '已到期' },
} as const satisfies WordTable;

export const requestStates = {
  pending: { en: 'Waits for your answer', zh: '待您答复' }, accepted: { en: 'Accepted', zh: '已同意' }, refused: { en: 'Refused', zh: '已拒绝' },
  withdrawn: { en: 'Withdrawn by the institution', zh: '机构已撤回' }, expired: { en: 'Expired without answer', zh: '逾期未答复' },
} as const satisfies WordTable;

export const objectionStates = {
  submitted: { en: 'Submitted', zh: '已提交' }, accepted: { en: 'Being examined', zh: '核查中' }, returned: { en: 'Returned', zh: '已退回' }, corrected: { en: 'Corrected', zh: '已更正' },
  remedied: { en: 'Found right, remedied', zh: '异议成立，已处理' }, rejected: { en: 'Rejected', zh: '异议不成立' }, closed: { en: 'Closed', zh: '已办结' },
} as const satisfies WordTable;

/** Colours beside the words; one table for all states, because no two mean different things. */
export const tones: Readonly<Record<string, Tone>> = {
  active: 'good', paused: 'warning', revoked: 'bad', pending: 'accent', accepted: 'accent', refused: 'bad', submitted: 'accent', returned: 'warning', corrected: 'good', remedied: 'good',
  rejected: 'bad', released: 'good',
};

export const faults = {
  wrong: { en: 'The value is wrong', zh: '数据有误' }, outdated: { en: 'The value is outdated', zh: '数据已过时' }, incomplete: { en: 'Something is missing', zh: '数据不完整' },
} as const satisfies WordTable;

export const stepActions = {
  submit: { en: 'Submitted', zh: '提交异议' }, accept: { en: 'Accepted for examination', zh: '受理' }, return: { en: 'Returned', zh: '退回' }, correct: { en: 'Value corrected', zh: '数据已更正' },
  remedy: { en: 'Found right and remedied', zh: '认定成立并处理' }, reject: { en: 'Rejected', zh: '认定不成立' }, close: { en: 'Closed', zh: '办结' },
} as const satisfies WordTable;

export const stepRoles = {
  enterprise: { en: 'Your enterprise', zh: '本企业' }, officer: { en: 'Compliance officer of the platform', zh: '平台合规人员' }, department: { en: 'Department that supplies the value', zh: '数据提供部门' },
  platform: { en: 'Platform, by time', zh: '平台（到期自动）' },
} as const satisfies WordTable;

export const ceilings = {
  original: { en: 'Original value', zh: '原始值' }, desensitised: { en: 'Desensitised only', zh: '仅脱敏后' },
} as const satisfies WordTable;

/** How a field was treated in an answer. */
export const dispositions = {
  clear: { en: 'Original value, sealed: only the institution can open it', zh: '原始值（已加密，仅该机构可解密）' }, mask: { en: 'Masked', zh: '脱敏后提供' }, band: { en: 'As a range', zh: '以区间提供' },
  token: { en: 'Replaced by a token', zh: '以令牌代替' }, verify: { en: 'Compared with the figure the institution named; it learns the outcome only', zh: '与机构所报数值比对，仅告知比对结果' },
  score: { en: 'Used encrypted for a score; the value was shown to nobody', zh: '加密用于评分，不向任何人展示数值' },
  aggregate: { en: 'Counted encrypted in a total; the value was shown to nobody', zh: '加密计入汇总，不向任何人展示数值' },
  withhold: { en: 'Not given', zh: '未提供' },
} as const satisfies WordTable;

export const uses = {
  read: { en: 'Read', zh: '查询' }, verify: { en: 'Verification', zh: '核验' }, score: { en: 'Score', zh: '评分' }, aggregate: { en: 'Totals', zh: '汇总' },
} as const satisfies WordTable;

/** Why a field was given or not. */
export const reasons = {
  permitted: { en: 'Your grant and the policy allow it', zh: '您的授权及平台政策允许' }, not_available: { en: 'Not available to this institution', zh: '不向该机构开放' },
  not_minimum_for_purpose: { en: 'Not needed for the purpose', zh: '超出该用途的最小必要范围' }, no_valid_grant: { en: 'No grant of yours covers it', zh: '没有您的有效授权' },
  not_consented: { en: 'You did not agree to this field', zh: '您未同意提供该字段' }, denied_by_rule: { en: 'Closed by the platform\'s policy', zh: '平台政策不允许' },
  no_rule: { en: 'No rule of the policy opens it', zh: '没有政策规则允许' },
  condition_not_met: { en: 'A condition of the policy was not met', zh: '未满足政策条件' }, condition_not_evaluable: { en: 'A condition of the policy could not be examined', zh: '无法判断政策条件' },
} as const satisfies WordTable;

/** What entries of the log say, for the enterprise they are about. */
export const entryKinds: WordTable = {
  'query.released': { en: 'Data was given', zh: '已提供数据' }, 'query.refused': { en: 'A request for data was refused', zh: '数据请求被拒绝' },
  'score.released': { en: 'A score was computed on encrypted data', zh: '已完成加密评分' }, 'scores.released': { en: 'A score was computed, among those of a list', zh: '已完成批量加密评分' },
  'score.refused': { en: 'A score was refused', zh: '评分请求被拒绝' },
  'grant.created': { en: 'Grant given', zh: '授权生效' }, 'grant.paused': { en: 'Grant paused', zh: '授权暂停' }, 'grant.resumed': { en: 'Grant resumed', zh: '授权恢复' },
  'grant.revoked': { en: 'Grant revoked', zh: '授权撤销' },
  'grant.exhausted': { en: 'Grant used up', zh: '授权次数用完' }, 'grant.expired': { en: 'Grant ended', zh: '授权到期' }, 'grant.requested': { en: 'An institution asked for a grant', zh: '机构申请授权' },
  'grant.request_accepted': { en: 'Request accepted', zh: '同意授权申请' }, 'grant.request_refused': { en: 'Request refused', zh: '拒绝授权申请' },
  'grant.request_withdrawn': { en: 'Request withdrawn', zh: '机构撤回申请' },
  'objection.submitted': { en: 'Objection submitted', zh: '提交异议' }, 'objection.accepted': { en: 'Objection accepted for examination', zh: '异议受理' },
  'objection.returned': { en: 'Objection returned', zh: '异议退回' },
  'objection.corrected': { en: 'Value corrected after an objection', zh: '异议数据已更正' }, 'objection.remedied': { en: 'Objection found right', zh: '异议成立并处理' },
  'objection.rejected': { en: 'Objection rejected', zh: '异议不成立' },
  'objection.closed': { en: 'Objection closed', zh: '异议办结' }, 'notice.issued': { en: 'An institution was told of a correction', zh: '已通知机构数据更正' },
  'notice.acknowledged': { en: 'An institution took note of a correction', zh: '机构已确认更正通知' },
  'record.corrected': { en: 'A record of yours was replaced', zh: '数据记录已更正' }, 'features.removed': { en: 'Your encrypted columns were removed', zh: '加密特征已移除' },
  'enterprise.registered': { en: 'Enterprise registered', zh: '企业登记' }, 'enterprise.activated': { en: 'Account activated', zh: '账户激活' },
  'export.own': { en: 'You exported your data', zh: '导出本企业数据' },
};

/** Why a request of an institution was refused. */
export const refusals: WordTable = {
  CONSENT_REQUIRED: { en: 'No grant of yours covers it', zh: '没有您的有效授权' }, CONSENT_EXPIRED: { en: 'Your grant has ended', zh: '授权已到期' },
  CONSENT_EXHAUSTED: { en: 'Your grant is used up', zh: '授权次数已用完' },
  CONSENT_FREQUENCY_EXCEEDED: { en: 'More often than your grant allows', zh: '超出授权频次' }, CONSENT_PAUSED: { en: 'You had paused the grant', zh: '您已暂停授权' },
  CONSENT_REVOKED: { en: 'You had revoked the grant', zh: '您已撤销授权' },
  CONSENT_NOT_YET_VALID: { en: 'Your grant had not begun', zh: '授权尚未生效' }, CONSENT_NOT_FOUND: { en: 'No grant of yours covers it', zh: '没有您的有效授权' },
  QUERY_NOTHING_PERMITTED: { en: 'Nothing of what was asked is permitted', zh: '所查内容均不被允许' }, QUERY_FILTER_NOT_PERMITTED: { en: 'Selection by a field that is not permitted', zh: '不允许按该字段筛选' },
  QUERY_ATTEMPTS_EXHAUSTED: { en: 'Too many verifications of the same figure', zh: '核验次数超限' },
  SCORE_LIMIT_REACHED: { en: 'The institution would have learned too much from scores', zh: '评分次数达到上限' },
  INSTITUTION_NOT_ACTIVE: { en: 'The institution was not admitted at that moment', zh: '机构当时未获准入或已被暂停' }, POLICY_PURPOSE_UNKNOWN: { en: 'The purpose is not in force', zh: '该用途未生效' },
  STORE_UNAVAILABLE: { en: 'The platform could not read the data', zh: '平台暂时无法读取数据' }, AUDIT_UNAVAILABLE: { en: 'The log could not be written, so nothing was given', zh: '日志无法写入，因此未提供数据' },
};
