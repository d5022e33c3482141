import type { UnusualSign } from '../../sdk/reports.ts';
import { texts, type Words } from '../shell/language.tsx';

/** Words of the review of one institution. */
export const incidentTexts = texts(
  {
    lead: 'Everything one institution did in a period, for those who look into an incident. Counted from the log; no enterprise is named.',
    choose: 'Institution and period', institution: 'Institution', pick: 'Choose an institution', from: 'From day', to: 'Up to day', show: 'Show', pickNeeded: 'Choose an institution.',
    dayWrong: 'Write a day, such as 2026-11-03.',
    none: 'Choose an institution and a period of up to 366 days. Without days, the last 30 are shown.', noInstitutions: 'No institution has applied yet.',
    heading: '{name}, {from} to {to}', id: 'Id', class: 'Class', status: 'Standing', country: 'Country', assessment: 'Security assessment', assessmentOf: 'Level {level}, valid until {day}',
    noAssessment: 'none', limits: 'Limits', because: 'Reason',
    applied: 'applied', assessed: 'assessed', approved: 'admitted', suspended: 'suspended', revoked: 'excluded',
    released: 'Given', refused: 'Refused', enterprises: 'Enterprises asked about', atLeast: 'at least {count}', behind: 'The newest {count} entries of the log are not counted yet.',
    unusual: 'What stands out', nothingUnusual: 'Nothing stands out by the rules the platform has. That alone proves nothing.',
    unusualLead: 'Signs to look at more closely. By themselves they prove nothing.', measured: '{count}', percent: '{count} %', usual: 'usual: {count}',
    timeline: 'Day by day', day: 'Day', openDay: 'Entries of {day}', noDays: 'Nothing was asked in this period.',
    refusals: 'Refusals by code', code: 'Error code', kind: 'Event', count: 'Times', openEntries: 'Show entries',
    fields: 'Fields and how they were treated', field: 'Field', use: 'Use', treated: 'Treated as', noFields: 'No field was decided in this period.',
    noRefusals: 'Nothing was refused in this period.',
    answers: 'Answers by purpose', purpose: 'Purpose', noAnswers: 'Nothing was given in this period.', grants: 'Grants', noGrants: 'No grant changed in this period.',
    decisions: 'What was decided about the institution', noDecisions: 'Nothing was decided about it in this period.', all: 'All entries of this period', json: 'Download JSON',
  },
  {
    lead: '某一机构在一段时间内的全部活动，用于事件核查。由日志统计得出，不涉及企业名称。',
    choose: '机构与期间', institution: '机构', pick: '请选择机构', from: '起始日期', to: '截止日期', show: '查看', pickNeeded: '请选择机构。', dayWrong: '请填写日期，例如 2026-11-03。',
    none: '请选择机构和期间（最长 366 天）。未填写日期时显示最近 30 天。', noInstitutions: '尚无机构申请接入。',
    heading: '{name}（{from}至{to}）', id: '机构编号', class: '类别', status: '接入状态', country: '国家（地区）', assessment: '安全评估', assessmentOf: '{level} 级，有效至 {day}', noAssessment: '无', limits: '限额',
    because: '理由',
    applied: '已申请', assessed: '已评估', approved: '已接入', suspended: '已暂停', revoked: '已终止',
    released: '已提供', refused: '已拒绝', enterprises: '所查询企业数', atLeast: '不少于 {count}', behind: '日志最新的 {count} 条尚未计入。',
    unusual: '异常迹象', nothingUnusual: '按平台现有规则未发现异常迹象；仅此不能说明没有问题。', unusualLead: '以下迹象值得进一步核查，其本身不能证明任何事实。', measured: '{count}', percent: '{count}%', usual: '通常为 {count}',
    timeline: '每日情况', day: '日期', openDay: '{day}的条目', noDays: '该期间没有请求。',
    refusals: '拒绝情况（按代码）', code: '错误代码', kind: '事项', count: '次数', openEntries: '查看条目',
    fields: '字段及其处理方式', field: '字段', use: '使用方式', treated: '处理方式', noFields: '该期间未涉及任何字段。', noRefusals: '该期间没有被拒绝的请求。',
    answers: '按用途的提供情况', purpose: '用途', noAnswers: '该期间未提供任何答复。', grants: '授权情况', noGrants: '该期间授权没有变化。',
    decisions: '对该机构的管理措施', noDecisions: '该期间没有对该机构的管理措施。', all: '查看该期间全部条目', json: '下载 JSON',
  },
);

export const signWords: Readonly<Record<UnusualSign, Words>> = {
  refused_often: { en: 'Refused more than twice as often as the others', zh: '被拒绝比例超过其他机构的两倍' }, asked_without_grant: { en: 'Asked about enterprises without a grant', zh: '无授权查询企业' },
  guessed_values: { en: 'Tried claims until its attempts ran out', zh: '反复核验直至次数用尽（疑似试探）' }, replayed: { en: 'Presented a token or proof twice', zh: '重复使用令牌或凭证' },
  asked_while_suspended: { en: 'Asked while it was not admitted', zh: '未获准或暂停期间仍提出请求' }, many_enterprises: { en: 'Many more enterprises on one day than usual', zh: '单日查询企业数远超平常' },
};
