import { texts, type Words } from '../shell/language.tsx';

/** Words of one entry. */
export const entryTexts = texts(
  {
    title: 'Entry {index}: {kind}', back: 'To the log', older: 'Entry {index}', noSuch: 'An entry is named by a whole number from 0.',
    facts: 'What the entry says', number: 'Number in the log', time: 'Time', by: 'Done by', institution: 'Institution',
    erased: 'The record of this entry was erased as the law demands. What is left proves that it was there.', samePolicy: 'Entries under this policy',
    fields: 'How each field was treated', field: 'Field', dataset: 'Dataset', use: 'Use', treated: 'Treated as', why: 'Why', rows: 'Rows given', count: 'Rows',
    ceilings: 'Fields of the grant', ceiling: 'At most as',
    proof: 'Place in the log', proofLead: 'The record and its salt give the commitment, and the commitment stands in the signed tree: both are worked out here, in your browser.',
    proven: 'Checked: the record is the one the entry commits to, and the signed log of {size} entries includes it.',
    provenErased: 'Checked: the signed log of {size} entries includes the entry. Its record was erased.',
    notYet: 'No checkpoint counts this entry yet. The log signs its state every few moments: try again shortly.',
    wrong: 'This entry is NOT what the log commits to. Do not rely on it; keep the evidence and report it.',
    keyRemembered: 'Checked with the key this browser remembers.',
    keyPublished: 'Checked with the key the platform publishes now: this browser remembers none. Remember one under Verification.',
    commitment: 'Commitment', salt: 'Salt', download: 'Download entry and proof', raw: 'Record as JSON',
    request: 'Request the institution signed',
    requestLead: 'For when the institution denies having asked. The request may hold what it claimed of the enterprise, so each reading is itself an entry of the log under your name.',
    showRequest: 'Read and check the request',
    requestRight: 'Checked: {signer} signed this request at {time} with a key that was its own then, and the record names it.', requestKey: 'Key (RFC 7638)',
    claims: 'What was asked, as JSON',
  },
  {
    title: '第 {index} 条：{kind}', back: '返回日志', older: '第 {index} 条', noSuch: '条目以从 0 起的整数编号。',
    facts: '条目内容', number: '日志序号', time: '时间', by: '操作方', institution: '机构', erased: '该条目的记录已依法删除，留存部分可证明其曾经存在。', samePolicy: '查看该策略版本下的条目',
    fields: '各字段的处理方式', field: '字段', dataset: '数据集', use: '使用方式', treated: '处理方式', why: '依据', rows: '提供的行数', count: '行数', ceilings: '授权的字段', ceiling: '最多提供',
    proof: '在日志中的位置', proofLead: '记录与盐值得出承诺，承诺位于已签名的哈希树中；两者均在您的浏览器中重新计算。',
    proven: '验证通过：记录与条目的承诺相符，且平台签名的日志（共 {size} 条）包含该条目。', provenErased: '验证通过：平台签名的日志（共 {size} 条）包含该条目。其记录已删除。',
    notYet: '尚无检查点计入该条目。日志每隔片刻签名一次，请稍后再试。', wrong: '该条目与日志的承诺不符。请勿采信，请保存证据并报告。',
    keyRemembered: '以本浏览器留存的公钥验证。', keyPublished: '以平台当前公布的公钥验证：本浏览器尚未留存公钥，请在“日志验证”中留存。',
    commitment: '承诺', salt: '盐值', download: '下载条目与存证', raw: '记录原文（JSON）',
    request: '机构签名的请求', requestLead: '用于机构否认曾提出请求的情形。请求中可能含有机构填报的企业数据，因此每次调阅均以您的名义记入日志。', showRequest: '调阅并验证请求',
    requestRight: '验证通过：{signer} 于 {time} 以当时有效的自有密钥签名，且记录所指即为该请求。', requestKey: '密钥指纹（RFC 7638）', claims: '请求内容（JSON）',
  },
);

/** Members of records that are shown by name; others stand under their own name. */
export const memberWords: Readonly<Record<string, Words>> = {
  subject: { en: 'Enterprise (credit code)', zh: '企业（统一社会信用代码）' }, purpose: { en: 'Purpose', zh: '用途' }, grant: { en: 'Grant', zh: '授权' }, policy: { en: 'Policy version', zh: '策略版本' },
  decision: { en: 'Digest of the decision', zh: '决定摘要' }, request: { en: 'Digest of the signed request', zh: '签名请求摘要' }, answer: { en: 'Digest of the answer', zh: '答复摘要' },
  code: { en: 'Refused with', zh: '拒绝代码' },
  model: { en: 'Model', zh: '模型' }, reason: { en: 'Reason', zh: '理由' }, department: { en: 'Department', zh: '部门' }, dataset: { en: 'Dataset', zh: '数据集' }, party: { en: 'Party', zh: '参与方' },
  officer: { en: 'Officer', zh: '工作人员' },
  scopes: { en: 'May do', zh: '权限范围' }, level: { en: 'Security level', zh: '安全等级' }, passed: { en: 'Passed', zh: '是否通过' }, report: { en: 'Digest of the report', zh: '报告摘要' },
  class: { en: 'Class', zh: '类别' }, key: { en: 'Key', zh: '密钥' },
  thumbprint: { en: 'Key (RFC 7638)', zh: '密钥指纹（RFC 7638）' }, use: { en: 'Use', zh: '用途类型' }, origin: { en: 'Given by', zh: '授权方式' }, dataFrom: { en: 'Data from', zh: '数据起始' },
  dataTo: { en: 'Data up to', zh: '数据截止' },
  validFrom: { en: 'Valid from', zh: '生效时间' }, validUntil: { en: 'Valid until', zh: '有效至' }, usesMax: { en: 'Answers at most', zh: '最多次数' }, frequency: { en: 'How often', zh: '频次' },
  dataLifeDays: { en: 'Data kept for days', zh: '数据留存天数' },
  notice: { en: 'Digest of the notice', zh: '告知书摘要' }, version: { en: 'Version', zh: '版本' }, digest: { en: 'Digest', zh: '摘要' }, previous: { en: 'In place of', zh: '取代' },
  basis: { en: 'Based on', zh: '依据' }, field: { en: 'Field', zh: '字段' },
  rowsAccepted: { en: 'Rows accepted', zh: '接收行数' }, rowsRejected: { en: 'Rows rejected', zh: '退回行数' }, file: { en: 'Digest of the file', zh: '文件摘要' },
  disputed: { en: 'Marked as disputed', zh: '异议标注' }, limits: { en: 'Limits', zh: '限额' },
  month: { en: 'Month', zh: '月份' }, entries: { en: 'Entries', zh: '条目' }, entry: { en: 'Entry', zh: '条目' }, account: { en: 'Account', zh: '账户' }, objection: { en: 'Objection', zh: '异议编号' },
  refused: { en: 'Refusals', zh: '拒绝情况' },
  from: { en: 'From', zh: '起' }, until: { en: 'Until', zh: '止' }, project: { en: 'Project', zh: '项目' }, outcome: { en: 'Outcome', zh: '结果' },
};

type Table = Readonly<Record<string, Words>>;
export const dispositionWords: Table = {
  clear: { en: 'Original', zh: '原始值' }, mask: { en: 'Masked', zh: '脱敏' }, band: { en: 'In bands', zh: '区间' }, token: { en: 'As a token', zh: '令牌' },
  verify: { en: 'Compared only', zh: '仅核验' },
  score: { en: 'Scored encrypted', zh: '加密评分' }, aggregate: { en: 'In encrypted aggregates', zh: '加密汇总' }, withhold: { en: 'Withheld', zh: '不提供' },
};
export const fieldUseWords: Table = { read: { en: 'Read', zh: '查询' }, verify: { en: 'Verify', zh: '核验' }, score: { en: 'Score', zh: '评分' }, aggregate: { en: 'Aggregate', zh: '汇总' } };
export const reasonWords: Table = {
  permitted: { en: 'permitted', zh: '允许' }, not_available: { en: 'not open to this institution', zh: '不向该机构开放' },
  not_minimum_for_purpose: { en: 'not needed for the purpose', zh: '超出用途的最小必要范围' },
  no_valid_grant: { en: 'no valid grant', zh: '没有有效授权' }, not_consented: { en: 'not consented', zh: '企业未授权' }, denied_by_rule: { en: 'a rule prohibits it', zh: '规则禁止' },
  no_rule: { en: 'no rule opens it', zh: '没有规则开放' },
  condition_not_met: { en: 'a condition is not met', zh: '条件不满足' }, condition_not_evaluable: { en: 'a condition cannot be examined', zh: '条件无法判断' },
};
export const ceilingWords: Table = { original: { en: 'Original', zh: '原始值' }, desensitised: { en: 'Desensitised', zh: '脱敏值' } };

/** A code that has no words is shown as it is. */
export const wordsFor = (table: Table, code: string): Words => (Object.hasOwn(table, code) ? table[code] as Words : { en: code, zh: code });
