import { texts } from '../shell/language.tsx';

/** Words of the page about who could access the enterprise now. */
export const readerTexts = texts(
  {
    title: 'Who has access to your data now', lead: 'Decided by the policy in force at this moment, as a query of this moment would be. Whoever is not listed here gets nothing.',
    asOf: 'As of {time}.', nobody: 'Nobody has access to your data at this moment.',
    why: 'Because of your grant, valid until {until}, for {purpose}.', openGrant: 'Open the grant', blocked: 'Gets nothing just now: {reason}', usesLeft: 'Uses left: {count}',
    usesOpen: 'No bound on the number of uses', period: 'Data {period}',
    caption: 'What {institution} would get', field: 'Field', dataset: 'Source', gets: 'Would get, and by which rule of the policy', nothing: 'Nothing: {reason}',
    conditional: 'hangs on what it states in its query', noFields: 'Under this grant it would get nothing at all.',
    models: 'Scoring models it may have you scored with (only it reads the score)', cohorts: 'Groups of joint modelling that count your enterprise in',
    cohort: 'Group of {size} enterprises, formed on {day}; only totals with noise leave it.',
    hidden: 'Fields of which it would get nothing: {count}',
  },
  {
    title: '目前谁能查询本企业数据', lead: '由当前生效的政策即时判定，与此刻发起查询的结果一致。未列出的机构无法获得任何数据。', asOf: '截至 {time}。', nobody: '目前没有任何机构可以查询本企业数据。',
    why: '依据您的授权，有效期至 {until}，用途为{purpose}。', openGrant: '查看授权', blocked: '目前无法获得数据：{reason}', usesLeft: '剩余 {count} 次', usesOpen: '不限总次数', period: '数据期间：{period}',
    caption: '{institution}可获得的内容', field: '字段', dataset: '数据来源', gets: '可获得的内容及依据的政策规则', nothing: '不提供：{reason}', conditional: '视其查询时的声明而定', noFields: '在该授权下不会获得任何内容。',
    models: '可用于为本企业评分的模型（评分结果仅该机构可读）', cohorts: '将本企业计入的联合建模群体', cohort: '由 {size} 家企业组成的群体，形成于 {day}；仅输出加噪汇总结果。',
    hidden: '不会提供的字段：{count} 个',
  },
);
