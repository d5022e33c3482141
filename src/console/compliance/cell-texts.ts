import { texts } from '../shell/language.tsx';

/** Words of one cell and of its editor. */
export const cellTexts = texts(
  {
    text: 'text', code_: 'code', integer: 'whole number', decimal: 'decimal number', date: 'date', boolean: 'yes or no',
    title: '{field}: {purpose}', now: 'What holds now', code: 'Code', classification: 'Classification', type: 'Type', institutionClass: 'Institution class', atDesensitised: 'With consent to the desensitised form', atOriginal: 'With consent to the original', rules: 'Rules', denies: 'prohibits', condition: 'if {condition}',
    notMinimum: 'This purpose does not need the field: it is not in the purpose\'s minimum, so no rule can open it. The minimum changes in purposes.yaml, by a proposal from the command line.',
    change: 'Change it', classes: 'For these institution classes', allClasses: 'All classes', noneClasses: 'No class', chooseClass: 'Choose at least one class.', keep: 'Leave as it is', nothing: 'Nothing is provided', sameAsDesensitised: 'No more than with consent to the desensitised form',
    several: 'Several rules stand here. What you set replaces them all for the classes you chose.', prohibited: 'A prohibition stands in the way here ({rules}). What you set takes these cells out of it.',
    onlyIf: 'Conditions', noCondition: 'Always', keepCondition: 'As now: {condition}', newCondition: 'Only if', minimumLevel: 'Security level of the institution at least', anyLevel: 'any', until: 'Ends on (the rule closes by itself that day)',
    sample: 'Made-up values, before and after', sampleNote: 'These values are invented from the description of the field. No record is read.', value: 'Value', before: 'Now', afterDesensitised: 'New, desensitised', afterOriginal: 'New, original',
    add: 'Put into my draft', nothingChanges: 'This changes nothing: the cell says so already.', unset: 'Choose what is to change.',
    sealedValue: '{value} (sealed for the institution)', noValue: 'not told', emptyValue: 'no value', claimed: 'claims {value}: {outcome}', computed: 'used encrypted, never shown', withheldValue: 'withheld', emergency: 'Withhold at once', inDraft: 'Your draft already changes this cell.', removeFromDraft: 'Take that change out',
    match: 'match', within_tolerance: 'within tolerance', same_band: 'same band', mismatch: 'mismatch', no_value: 'no value',
    under: 'under {to}', from: '{from} and more', range: '{from} to under {to}',
    clear: 'In clear', suppress: 'Hidden entirely', fixed: 'Replaced by a fixed text', keep_ends: 'First and last characters', mask_range: 'Part of the characters hidden', class_preserving: 'Each character replaced by one of its kind', email: 'E-mail masked', phone: 'Telephone number masked', identity_number: 'Identity number masked', chinese_name: 'Name masked', address: 'Address cut short', bank_account: 'Account number masked',
    generalise: 'Wider groups', round: 'Rounded', year: 'Year only', clamp: 'Cut off at both ends', bandMethod: 'In bands', token: 'As a token', format_preserving_token: 'As a token of the same form', equal: 'Equal or not', within_percent: 'Within some percent', within_absolute: 'Within some amount', same_bandMethod: 'In the same band', score: 'May enter approved scores', aggregate: 'May enter encrypted aggregates',
    edges: 'Edges, ascending, with commas', edgesHint: 'n edges make n + 1 bands; a value on an edge is in the band above.', first: 'Characters shown at the beginning', last: 'Characters shown at the end', fromPosition: 'From position (counted from 0)', toPosition: 'To before position', fixedText: 'Text shown instead', level: 'Down to', province: 'province', city: 'city', district: 'district', roundTo: 'Round to', bottom: 'Lowest value shown', top: 'Highest value shown', percent: 'Percent', amount: 'Amount', alphabet: 'Alphabet', digits: 'digits', alphanumeric: 'letters and digits', group: 'Group of {code}', otherwise: 'All others', cents: 'in cents',
  },
  {
    text: '文本', code_: '代码', integer: '整数', decimal: '小数', date: '日期', boolean: '是或否',
    title: '{field}：{purpose}', now: '现行规定', code: '代码', classification: '数据分级', type: '类型', institutionClass: '机构类别', atDesensitised: '企业授权提供脱敏值时', atOriginal: '企业授权提供原始值时', rules: '规则', denies: '禁止', condition: '条件：{condition}',
    notMinimum: '该用途不需要此字段：字段不在用途的最小必要范围内，任何规则都不能开放。最小必要范围在 purposes.yaml 中，须通过命令行提出修改。',
    change: '修改', classes: '适用的机构类别', allClasses: '全部类别', noneClasses: '全部取消', chooseClass: '请至少选择一个机构类别。', keep: '保持不变', nothing: '不提供', sameAsDesensitised: '与授权脱敏值时相同，不再增加',
    several: '此处有多条规则。您的设置将对所选机构类别取代全部规则。', prohibited: '此处有禁止性规则（{rules}）。您的设置将使所选单元格不再受其限制。',
    onlyIf: '条件', noCondition: '无条件', keepCondition: '维持现有条件：{condition}', newCondition: '仅在以下情况', minimumLevel: '机构安全等级不低于', anyLevel: '不限', until: '截止日期（当日起规则自动失效）',
    sample: '虚拟数据前后对比', sampleNote: '示例值根据字段说明虚构，不读取任何真实记录。', value: '示例值', before: '现行', afterDesensitised: '修改后（脱敏）', afterOriginal: '修改后（原始）',
    add: '加入草稿', nothingChanges: '没有变化：该单元格已是如此。', unset: '请选择要修改的内容。',
    sealedValue: '{value}（加密提供给机构）', noValue: '不显示', emptyValue: '无数据', claimed: '填报 {value}：{outcome}', computed: '仅加密使用，不显示', withheldValue: '不提供', emergency: '立即停止披露', inDraft: '草稿中已有对该单元格的修改。', removeFromDraft: '撤销该项修改',
    match: '一致', within_tolerance: '在误差范围内', same_band: '在同一区间', mismatch: '不一致', no_value: '无数据',
    under: '低于 {to}', from: '{from} 及以上', range: '{from} 至 {to}（不含）',
    clear: '原始值', suppress: '完全隐藏', fixed: '替换为固定文字', keep_ends: '仅显示首尾字符', mask_range: '隐藏部分字符', class_preserving: '逐字符同类替换', email: '邮箱脱敏', phone: '电话号码脱敏', identity_number: '身份证号脱敏', chinese_name: '姓名脱敏', address: '地址截断', bank_account: '银行账号脱敏',
    generalise: '归并为更大的类别', round: '取整', year: '仅显示年份', clamp: '两端截断', bandMethod: '以区间显示', token: '令牌', format_preserving_token: '同格式令牌', equal: '是否相等', within_percent: '百分比误差以内', within_absolute: '绝对误差以内', same_bandMethod: '是否在同一区间', score: '可用于已批准的评分', aggregate: '可用于加密汇总',
    edges: '分界点（由小到大，以逗号分隔）', edgesHint: 'n 个分界点形成 n + 1 个区间；恰等于分界点的值归入上一区间。', first: '开头显示字符数', last: '结尾显示字符数', fromPosition: '起始位置（从 0 起）', toPosition: '结束位置（不含）', fixedText: '替换文字', level: '显示到', province: '省级', city: '市级', district: '区县级', roundTo: '取整单位', bottom: '显示的最小值', top: '显示的最大值', percent: '百分比', amount: '误差值', alphabet: '字符集', digits: '数字', alphanumeric: '字母和数字', group: '{code} 归入', otherwise: '其余归入', cents: '单位：分',
  },
);
