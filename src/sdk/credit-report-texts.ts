import type { DecisionReason, VerificationOutcome } from '../vocabulary.ts';
import type { OpenedValue } from './bank.ts';

export type ReportLanguage = 'en' | 'zh';

/** What a credit report says beside what it reports. */
export type ReportTexts = {
  readonly title: string; readonly enterprise: string; readonly institution: string; readonly platform: string; readonly purpose: string; readonly answered: string; readonly made: string;
  readonly grant: string; readonly grantUntil: string; readonly period: string; readonly openEnd: string; readonly policy: string; readonly entry: string; readonly deleteBy: string; readonly limits: string;
  readonly field: string; readonly how: string; readonly record: (number: number) => string; readonly noRecords: string; readonly noValue: string; readonly band: (from: string, to: string) => string;
  readonly below: (to: string) => string; readonly from: (from: string) => string; readonly disputed: string;
  readonly verified: string; readonly claimed: string; readonly outcome: string; readonly withheld: string; readonly use: string; readonly reason: string; readonly rule: string; readonly byDefault: string;
  readonly proof: string; readonly proofLead: string; readonly receipt: string; readonly request: string; readonly answer: string; readonly signer: string;
  readonly yes: string; readonly no: string;
  readonly kinds: Readonly<Record<OpenedValue['kind'], string>>;
  readonly outcomes: Readonly<Record<VerificationOutcome, string>>;
  readonly reasons: Readonly<Record<DecisionReason, string>>;
  readonly uses: Readonly<Record<'read' | 'verify' | 'score' | 'aggregate', string>>;
};

export const reportTexts: Readonly<Record<ReportLanguage, ReportTexts>> = {
  en: {
    title: 'Credit report', enterprise: 'Enterprise', institution: 'Given to', platform: 'Platform', purpose: 'Purpose', answered: 'Answered', made: 'Report made',
    grant: 'Consent', grantUntil: 'valid until', period: 'Period consented to', openEnd: 'open', policy: 'Policy version', entry: 'Log entry', deleteBy: 'Delete by',
    limits: 'For this purpose only, for financing, and by this institution only. The data must be deleted by the date above.',
    field: 'Field', how: 'Form', record: (number) => `Record ${number}`, noRecords: 'The department has no records.', noValue: 'no value', band: (from, to) => `${from} to ${to}`, below: (to) => `below ${to}`, from: (from) => `${from} or more`,
    disputed: 'The enterprise objects to this value; its department has not answered yet.',
    verified: 'Verification of what was claimed', claimed: 'Claimed', outcome: 'Outcome', withheld: 'Not disclosed', use: 'Asked for', reason: 'Why', rule: 'Rule', byDefault: 'default: closed',
    proof: 'Proof', proofLead: 'The platform signed a receipt of this answer, which is an entry of its public log. The file this page was made from proves every value: veilgate report verify FILE.',
    receipt: 'Receipt', request: 'Request (SHA-256)', answer: 'Answer (SHA-256)', signer: 'Signed by the institution with key', yes: 'yes', no: 'no',
    kinds: { clear: 'original', masked: 'masked', banded: 'band', token: 'token', absent: 'no value' },
    outcomes: { match: 'matches', within_tolerance: 'matches within the tolerance', same_band: 'in the same band', mismatch: 'does not match', no_value: 'the department has no value' },
    reasons: {
      permitted: 'permitted', not_available: 'not available', not_minimum_for_purpose: 'not needed for this purpose', no_valid_grant: 'no valid consent', not_consented: 'not consented to',
      denied_by_rule: 'closed by a rule', no_rule: 'opened by no rule', condition_not_met: 'a condition is not met', condition_not_evaluable: 'a fact was not stated',
    },
    uses: { read: 'read', verify: 'verify', score: 'score', aggregate: 'aggregate' },
  },
  zh: {
    title: '企业信用报告', enterprise: '企业', institution: '接收机构', platform: '平台', purpose: '用途', answered: '应答时间', made: '报告生成时间',
    grant: '授权', grantUntil: '有效期至', period: '授权的数据期间', openEnd: '不限', policy: '策略版本', entry: '日志条目', deleteBy: '删除期限',
    limits: '仅限本机构为上述融资用途使用,并须在上述期限前删除数据。',
    field: '字段', how: '形式', record: (number) => `第 ${number} 条`, noRecords: '数据提供部门没有记录。', noValue: '无值', band: (from, to) => `${from} 至 ${to}`, below: (to) => `低于 ${to}`, from: (from) => `${from} 及以上`,
    disputed: '企业对该值提出异议,提供部门尚未答复。',
    verified: '核验结果', claimed: '申报值', outcome: '结果', withheld: '未披露', use: '请求方式', reason: '原因', rule: '规则', byDefault: '默认不开放',
    proof: '证明', proofLead: '平台为本次应答签发了回执,回执对应公开日志中的一个条目。生成本页的文件可证明每一个值:veilgate report verify 文件。',
    receipt: '回执', request: '请求 (SHA-256)', answer: '应答 (SHA-256)', signer: '机构签名密钥', yes: '是', no: '否',
    kinds: { clear: '原值', masked: '脱敏', banded: '区间', token: '令牌', absent: '无值' },
    outcomes: { match: '一致', within_tolerance: '在容差范围内一致', same_band: '处于同一区间', mismatch: '不一致', no_value: '提供部门无此值' },
    reasons: {
      permitted: '允许', not_available: '不可用', not_minimum_for_purpose: '非本用途所必需', no_valid_grant: '没有有效授权', not_consented: '企业未授权',
      denied_by_rule: '规则不允许', no_rule: '没有规则开放', condition_not_met: '条件不满足', condition_not_evaluable: '缺少条件所需的事实',
    },
    uses: { read: '读取', verify: '核验', score: '评分', aggregate: '聚合' },
  },
};
