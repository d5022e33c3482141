import { texts, useTexts } from '../shell/language.tsx';

export const bankTexts = texts(
  {
    keyTitle: 'Your institution\'s key', keyNeeded: 'Queries are signed and answers are opened with your institution\'s key. Choose its key file: it is read on this machine and never sent.',
    keyFile: 'Key file (JSON)', keyHint: 'The file `veilgate key new` wrote. Its private halves cannot be read out of the browser again.', keyHere: 'The key of {party} is in this browser, where no script can read it out.', forgetKey: 'Remove the key from this browser',
    keyOther: 'This key file is of {other}; you are signed in for {party}. Choose your own institution\'s.', keyBroken: 'This is no key file: choose the JSON file that `veilgate key new` wrote.',
    queryLead: 'Ask about an enterprise that consented. Before anything is spent you see what you would get and what is missing.',
    subject: 'Unified social credit code', subjectWrong: 'This is no credit code: check its 18 characters.', purpose: 'Purpose', fields: 'Fields', findField: 'Find a field', read: 'Read', verify: 'Verify', claimed: 'Value to compare {field} with',
    chosen: 'Fields chosen: {count}', noneChosen: 'Choose at least one field to read or to verify.', facts: 'Facts the policy asks for', factOf: '{name}',
    explanation: 'What you would get', explainWaits: 'Enter an enterprise, a purpose, fields and every value to compare with, and you see here what you would get.', use: 'Use', now: 'Now', why: 'Why', ifConsented: 'With consent', ask: 'Ask now', asked: 'The answer', askAgain: 'A query is answered once. To ask again sends a new query and spends the grant again.',
    grantUsed: 'Under grant {grant}.', grantNone: 'There is no grant that can be used: {problem}.', requestGrant: 'Request what is missing from the enterprise', requestTitle: 'Request a grant', requestLead: 'The enterprise sees who asks, for what and why, and may narrow it.', message: 'Message to the enterprise', days: 'Valid for days', uses: 'Uses at most', lifeDays: 'Kept for days', requested: 'The request is with the enterprise.',
    value: 'Value', how: 'How', row: 'Row', original: 'original, opened here', masked: 'masked', banded: 'band', token: 'token', absent: 'no value', verified: 'Verified', outcome: 'Outcome', withheld: 'Withheld', disputed: 'The enterprise disputes: {fields}.',
    receiptRight: 'The receipt is right: the platform signed exactly this question and this answer.', receiptWrong: 'The receipt is wrong. Keep the answer and tell the platform.', keepAnswer: 'Keep answer and receipt', entry: 'Log entry', policy: 'Policy', grant: 'Grant',
    catalogueLead: 'What your class of institution can be given for some purpose. A field that is not listed cannot be asked for.', classification: 'Classification', level: 'level {level}', type: 'Type', unit: 'Unit',
    grantsLead: 'Grants that enterprises gave to your institution, and requests that wait for an answer.', grantsTitle: 'Grants', requestsTitle: 'Requests', usesLeft: 'Uses left', unlimited: 'not limited', withdraw: 'Withdraw', withdrawTitle: 'Withdraw this request?', validUntil: 'Valid until', fieldsCount: '{count} fields', olderGrants: 'Older grants', sent: 'Sent',
    scoresLead: 'A score under an approved model. The platform computes on encrypted features; only your key opens the result.', model: 'Model', noModels: 'There is no approved model yet.', score: 'Score', band: 'Band', scoreNow: 'Score now', scoreReady: 'A score can be given.', explainScore: 'See what is missing', scoreResult: 'Opened on this machine',
    noticesLead: 'Values your institution received that were corrected since. Do not rely on the earlier ones; ask anew where you need the right ones.', corrected: 'Corrected', received: 'Received', acknowledge: 'Acknowledge', acknowledged: 'Acknowledged', onlyOpen: 'Only those not acknowledged', olderNotices: 'Older notices', times: '{count} times, log entries {entries}',
    receiptsLead: 'Check a kept answer, a kept score or a credit report: signature, question, answer, record, and its place in the public log. All of it happens on this machine.', answerFile: 'Kept answer, score or report', signer: 'Report signed with key', checkRight: 'Everything is as it should be', inLog: 'Proven under a signed checkpoint of {size} entries.', logKey: 'Key of the log', logKeyHint: 'Compare it with what the platform\'s operator told you on another way.', notInLogYet: 'The log has not published this entry yet: check again in a few seconds.', openAnswer: 'Show the answer',
  },
  {
    keyTitle: '本机构密钥', keyNeeded: '查询由本机构密钥签名,结果也由它打开。请选择密钥文件:文件只在本机读取,绝不上传。',
    keyFile: '密钥文件(JSON)', keyHint: '由 `veilgate key new` 生成的文件。导入后浏览器中的脚本无法再读出私钥。', keyHere: '{party} 的密钥已在此浏览器中,任何脚本都无法读出。', forgetKey: '从此浏览器移除密钥',
    keyOther: '该密钥文件属于 {other},您当前代表 {party} 登录。请选择本机构的密钥文件。', keyBroken: '这不是密钥文件:请选择 `veilgate key new` 生成的 JSON 文件。',
    queryLead: '查询已授权的企业。在消耗任何授权次数之前,您会先看到能得到什么、还缺什么。',
    subject: '统一社会信用代码', subjectWrong: '统一社会信用代码有误:请核对这 18 位字符。', purpose: '用途', fields: '字段', findField: '查找字段', read: '读取', verify: '核验', claimed: '与 {field} 比对的值',
    chosen: '已选字段:{count}', noneChosen: '请至少选择一个要读取或核验的字段。', facts: '策略要求说明的事实', factOf: '{name}',
    explanation: '您将得到', explainWaits: '填写企业、用途、字段和全部比对值后,这里会显示您将得到什么。', use: '方式', now: '当前', why: '原因', ifConsented: '如获授权', ask: '立即查询', asked: '查询结果', askAgain: '每次查询只回答一次。再次查询会发送新的请求并再次消耗授权次数。',
    grantUsed: '依据授权 {grant}。', grantNone: '没有可用的授权:{problem}。', requestGrant: '向企业申请所缺授权', requestTitle: '申请授权', requestLead: '企业会看到谁在申请、申请什么以及为什么,并可以缩小范围。', message: '给企业的留言', days: '有效天数', uses: '最多使用次数', lifeDays: '数据保存天数', requested: '申请已送达企业。',
    value: '值', how: '形式', row: '行', original: '原值(在本机打开)', masked: '脱敏', banded: '区间', token: '令牌', absent: '无值', verified: '核验', outcome: '结果', withheld: '未提供', disputed: '企业对以下字段有异议:{fields}。',
    receiptRight: '回执正确:平台签名的正是本次问题与本次结果。', receiptWrong: '回执有误。请保存结果并告知平台。', keepAnswer: '保存结果与回执', entry: '日志条目', policy: '策略', grant: '授权',
    catalogueLead: '本类机构在某一用途下可以获得的内容。未列出的字段不能查询。', classification: '分类分级', level: '{level} 级', type: '类型', unit: '单位',
    grantsLead: '企业给予本机构的授权,以及等待答复的申请。', grantsTitle: '授权', requestsTitle: '申请', usesLeft: '剩余次数', unlimited: '不限', withdraw: '撤回', withdrawTitle: '撤回这份申请?', validUntil: '有效至', fieldsCount: '{count} 个字段', olderGrants: '更早的授权', sent: '发出时间',
    scoresLead: '按已批准的模型评分。平台只在密文上计算,结果只有您的密钥能打开。', model: '模型', noModels: '还没有已批准的模型。', score: '评分', band: '等级', scoreNow: '立即评分', scoreReady: '可以评分。', explainScore: '查看还缺什么', scoreResult: '已在本机打开',
    noticesLead: '本机构曾收到、其后已被更正的数据。请勿再依据更正前的值;如需正确的值,请重新查询。', corrected: '更正时间', received: '曾收到', acknowledge: '确认知悉', acknowledged: '已确认', onlyOpen: '只看未确认的', olderNotices: '更早的通知', times: '{count} 次,日志条目 {entries}',
    receiptsLead: '核验已保存的结果、评分或信用报告:签名、问题、结果、记录,以及它在公开日志中的位置。全部在本机完成。', answerFile: '已保存的结果、评分或报告', signer: '报告签名密钥', checkRight: '全部正确', inLog: '已由含 {size} 个条目的签名检查点证明。', logKey: '日志公钥', logKeyHint: '请与平台运营方通过其他途径告知的公钥核对。', notInLogYet: '日志尚未公布该条目:请几秒后再核验。', openAnswer: '显示结果',
  },
);

/** Codes as people say them; a code of a newer gateway is shown as it is. */
export const codeTexts = texts(
  {
    clear: 'original', mask: 'masked', band: 'band', token: 'token', verify: 'compared only', score: 'scored only', aggregate: 'in aggregates only', withhold: 'withheld', read: 'read',
    permitted: 'permitted', not_available: 'not available to you', not_minimum_for_purpose: 'not in the minimum for this purpose', no_valid_grant: 'no valid grant', not_consented: 'the enterprise has not consented', denied_by_rule: 'a rule denies it', no_rule: 'no rule opens it', condition_not_met: 'a condition is not met', condition_not_evaluable: 'a fact is missing',
    active: 'active', paused: 'paused', revoked: 'revoked', exhausted: 'used up', expired: 'expired', pending: 'waits for the enterprise', accepted: 'accepted', refused: 'refused', withdrawn: 'withdrawn',
    match: 'matches', mismatch: 'does not match', within_tolerance: 'matches within tolerance', same_band: 'in the same band', no_value: 'no value to compare with',
    text: 'text', code_type: 'code', integer: 'number', decimal: 'decimal', date: 'date', boolean: 'yes or no',
    public: 'public', commercial_secret: 'commercial secret', personal: 'personal', sensitive_personal: 'sensitive personal',
    CONSENT_REQUIRED: 'no grant', CONSENT_EXPIRED: 'the grant has expired', CONSENT_EXHAUSTED: 'the grant is used up', CONSENT_FREQUENCY_EXCEEDED: 'used too often for now', CONSENT_PAUSED: 'the enterprise paused the grant', CONSENT_REVOKED: 'the enterprise revoked the grant', CONSENT_NOT_YET_VALID: 'the grant is not valid yet',
  },
  {
    clear: '原值', mask: '脱敏', band: '区间', token: '令牌', verify: '仅核验', score: '仅评分', aggregate: '仅统计', withhold: '不提供', read: '读取',
    permitted: '允许', not_available: '不对本机构开放', not_minimum_for_purpose: '超出该用途的最小必要范围', no_valid_grant: '没有有效授权', not_consented: '企业未授权', denied_by_rule: '规则禁止', no_rule: '没有规则开放', condition_not_met: '条件不满足', condition_not_evaluable: '缺少所需事实',
    active: '有效', paused: '已暂停', revoked: '已撤销', exhausted: '已用完', expired: '已到期', pending: '等待企业答复', accepted: '已同意', refused: '已拒绝', withdrawn: '已撤回',
    match: '一致', mismatch: '不一致', within_tolerance: '在容差内一致', same_band: '在同一区间', no_value: '没有可比对的值',
    text: '文本', code_type: '代码', integer: '数值', decimal: '小数', date: '日期', boolean: '是/否',
    public: '公开', commercial_secret: '商业秘密', personal: '个人信息', sensitive_personal: '敏感个人信息',
    CONSENT_REQUIRED: '没有授权', CONSENT_EXPIRED: '授权已到期', CONSENT_EXHAUSTED: '授权已用完', CONSENT_FREQUENCY_EXCEEDED: '近期使用过于频繁', CONSENT_PAUSED: '企业已暂停授权', CONSENT_REVOKED: '企业已撤销授权', CONSENT_NOT_YET_VALID: '授权尚未生效',
  },
);

/** What a code is called; the code itself where it has no name here. */
export function useCodes(): (code: string) => string {
  const t = useTexts(codeTexts);
  return (code) => (Object.hasOwn(codeTexts.en, code) ? t(code as keyof typeof codeTexts.en) : code);
}
