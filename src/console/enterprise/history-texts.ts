import { texts } from '../shell/language.tsx';

/** Words of the access history. */
export const historyTexts = texts(
  {
    title: 'Access history', lead: 'Who asked for data of your enterprise, when, what for, and what came of it, also what was refused. The entries are in a log that nobody can change unnoticed.',
    caption: 'Access history, newest first',
    time: 'Time', what: 'What happened', institution: 'Institution', purpose: 'Purpose', result: 'What was given', none: 'Nothing has happened yet: nobody has asked for data of your enterprise.',
    nothing: 'Nothing matches these filters.',
    countOriginal: 'Original values: {count}', countDesensitised: 'Desensitised: {count}', countCompared: 'Compared or scored: {count}', countWithheld: 'Not given: {count}',
    refusedFor: 'Refused: {reason}', disputed: 'Marked as disputed: {count}',
    filters: 'Filters', allInstitutions: 'All institutions', from: 'From day', until: 'Up to day', outcome: 'Outcome', anyOutcome: 'All', released: 'Given', refused: 'Refused',
    apply: 'Apply filters', clear: 'Remove filters',
    entryTitle: '{what} on {time}', entry: 'Entry {index}', number: 'Number in the log', grant: 'Under your grant', openGrant: 'Open the grant', policy: 'Policy that decided',
    model: 'Scoring model', by: 'Done by', you: 'your enterprise', platform: 'the platform', rows: 'Rows', rowsOf: '{dataset}: {rows}',
    how: 'How each field was treated', howCaption: 'Fields and how each was treated', field: 'Field', dataset: 'Source', treated: 'Treated as', why: 'Why', use: 'Use',
    disputedField: 'marked as disputed',
    erased: 'The content of this entry was erased as the law demands. What is left proves that it was there.', noFields: 'This entry is about no fields.',
    receipt: 'Receipt and proof',
    receiptLead: 'The receipt is the platform\'s signature on what was asked and given. The proof shows that this entry stands in the log as it is shown here. Keep the files if you need evidence.',
    receiptFile: 'Download receipt', check: 'Check in this browser', download: 'Download proof',
    proven: 'Checked: the log of {size} entries that the platform has signed includes this entry, exactly as it is shown here.',
    notYet: 'The log signs its state every few moments: try again shortly.',
    object: 'Object to this access', objectLead: 'Was this access not in order? A compliance officer examines it and answers within the deadline.', raw: 'Entry as it is in the log',
  },
  {
    title: '查询记录', lead: '谁在何时、为何用途查询过本企业数据，结果如何，被拒绝的请求也在其中。记录保存在任何人都无法暗中篡改的日志里。', caption: '查询记录（最新在前）',
    time: '时间', what: '事项', institution: '机构', purpose: '用途', result: '提供情况', none: '暂无记录：尚无机构查询过本企业数据。', nothing: '没有符合筛选条件的记录。',
    countOriginal: '原始值 {count} 项', countDesensitised: '脱敏 {count} 项', countCompared: '比对或评分 {count} 项', countWithheld: '未提供 {count} 项', refusedFor: '已拒绝：{reason}', disputed: '异议标注 {count} 项',
    filters: '筛选', allInstitutions: '全部机构', from: '起始日期', until: '截止日期', outcome: '结果', anyOutcome: '全部', released: '已提供', refused: '已拒绝', apply: '筛选', clear: '清除筛选',
    entryTitle: '{what}（{time}）', entry: '第 {index} 条', number: '日志序号', grant: '依据授权', openGrant: '查看授权', policy: '决定所依据的政策', model: '评分模型', by: '操作方', you: '本企业', platform: '平台', rows: '行数',
    rowsOf: '{dataset}：{rows} 行',
    how: '各字段的处理方式', howCaption: '各字段及其处理方式', field: '字段', dataset: '数据来源', treated: '处理方式', why: '依据', use: '用途类型', disputedField: '已标注异议',
    erased: '该记录的内容已依法删除，留存部分可证明其曾经存在。', noFields: '该记录不涉及字段。',
    receipt: '凭证与存证', receiptLead: '凭证是平台对查询内容与提供结果的签名；存证可证明本记录确在日志中，且与此处显示的完全一致。如需留作证据，请保存文件。', receiptFile: '下载凭证', check: '在本浏览器中验证', download: '下载存证文件',
    proven: '验证通过：平台签名的日志（共 {size} 条）包含本记录，且与此处显示的完全一致。', notYet: '日志每隔片刻签名一次，请稍后再试。',
    object: '对此次查询提出异议', objectLead: '认为此次查询不当？合规人员将进行核查，并在期限内答复。', raw: '日志原文',
  },
);
