import { texts } from '../shell/language.tsx';

/** Choosing rows, typed values, and what happens when the network fails. */
export const queryTexts = texts(
  {
    rows: 'Which records of {dataset}', rowsLead: 'Choosing and ordering need the right to read the field in original form. Without a choice you get the latest 24 records.',
    addCondition: 'Add a condition', removeCondition: 'Remove the condition on {field}', condition: 'Condition {number}', value: 'Value', compares: 'Compares', eq: 'equals', gte: 'at least', lte: 'at most',
    sortBy: 'Order by', latestFirst: 'latest first', direction: 'Order', asc: 'rising', desc: 'falling', limit: 'Records at most', limitWrong: 'Enter a whole number from 1 to 120.',
    rowsOfVerified: 'Records of {dataset} cannot be chosen here: claims are compared with the latest record. Verify in a query of its own.',
    notChosen: 'not chosen', yes: 'yes', no: 'no', numberWrong: 'Enter a whole number.', decimalWrong: 'Enter a number such as 12.50.', dateWrong: 'Enter a date.', unit: 'in {unit}', means: 'means {amount}',
    unsure: 'Nobody answered, so it is not known whether the question arrived. Pressing the button again sends the very same signed question: if it did arrive, it is refused and not answered, or counted, twice.',
  },
  {
    rows: '{dataset}:选取哪些记录', rowsLead: '按字段筛选或排序,需要有权以原值读取该字段。不作选择时,返回最近的 24 条记录。',
    addCondition: '添加条件', removeCondition: '移除关于 {field} 的条件', condition: '条件 {number}', value: '值', compares: '比较方式', eq: '等于', gte: '不小于', lte: '不大于',
    sortBy: '排序字段', latestFirst: '最近的在前', direction: '顺序', asc: '升序', desc: '降序', limit: '最多记录数', limitWrong: '请输入 1 至 120 的整数。',
    rowsOfVerified: '{dataset} 的记录在此不能选取:核验总是与最近一条记录比对。请另发一次查询进行核验。',
    notChosen: '未选择', yes: '是', no: '否', numberWrong: '请输入整数。', decimalWrong: '请输入数字,例如 12.50。', dateWrong: '请输入日期。', unit: '单位:{unit}', means: '即 {amount}',
    unsure: '没有收到答复,无法确定问题是否已送达。再次点击将发送同一份已签名的问题:如已送达,平台会拒绝,不会重复答复,也不会重复计次。',
  },
);
