import { texts } from '../shell/language.tsx';

/** Words of the queue of objections. */
export const objectionTexts = texts(
  {
    lead: 'What enterprises object to: records that are wrong or outdated, and accesses. Deadlines count in working days.', objections: 'Objections', none: 'No enterprise objects to anything.',
    overdueOnly: 'Late only',
    submitted: 'Submitted', accepted: 'Accepted', returned: 'Returned', corrected: 'Corrected', remedied: 'Remedied', rejected: 'Rejected', closed: 'Closed', record: 'Record', access: 'Access',
    about: 'About', wrong: 'wrong', outdated: 'outdated', incomplete: 'incomplete', due: 'Next step until', left: '{days} working days left', late: 'late by {days} working days',
    submittedAt: 'Submitted on', title: 'Objection of {subject}', row: 'Row', entry: 'Log entry', fault: 'Fault', department: 'Department',
    steps: 'What happened', by: 'By', said: 'Words', enterprise: 'Enterprise', officer: 'Officer', platform: 'Platform', notified: 'Who received the wrong value and was told', received: 'Received',
    acknowledged: 'Acknowledged', notYet: 'not yet',
    actions: 'Next step', accept: 'Accept', return: 'Return with reason', remedy: 'Find it right, say what was done', reject: 'Reject with reason', correct: 'Correct', close: 'Close',
    text: 'In your own words; the enterprise reads it', acceptQuestion: 'An objection to a record goes to its department.', done: 'Done.',
  },
  {
    lead: '企业对数据记录（错误或过时）及查询行为提出的异议。期限按工作日计算。', objections: '异议', none: '目前没有异议。', overdueOnly: '仅显示逾期',
    submitted: '已提交', accepted: '已受理', returned: '已退回', corrected: '已更正', remedied: '已处理', rejected: '已驳回', closed: '已关闭', record: '数据记录', access: '查询行为', about: '对象', wrong: '错误', outdated: '过时',
    incomplete: '不完整', due: '下一步期限', left: '剩余 {days} 个工作日', late: '逾期 {days} 个工作日', submittedAt: '提交时间', title: '{subject} 的异议', row: '记录行', entry: '日志条目', fault: '问题', department: '部门',
    steps: '办理过程', by: '经办', said: '说明', enterprise: '企业', officer: '工作人员', platform: '平台', notified: '已通知收到错误数据的机构', received: '收到次数', acknowledged: '确认时间', notYet: '尚未确认',
    actions: '下一步', accept: '受理', return: '退回并说明理由', remedy: '认定成立并说明处理结果', reject: '驳回并说明理由', correct: '更正', close: '关闭', text: '说明内容，企业可见', acceptQuestion: '对数据记录的异议将转交所属部门。', done: '已完成。',
  },
);
