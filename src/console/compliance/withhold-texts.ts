import { texts } from '../shell/language.tsx';

/** Words of emergency withholds and exemptions. */
export const withholdTexts = texts(
  {
    lead: 'Any officer closes a field for a purpose at once, for every institution and every use. When its hours are over it becomes a proposal, and holds until another officer has decided.',
    close: 'Close a field', closing: 'Withhold at once', field: 'Field, as dataset.field', reason: 'Reason code',
    reasonHint: 'Small letters, digits and _; it goes to the log: wrong_values, court_order, leak_suspected.',
    fieldWrong: 'Write the field as dataset.field, such as owner.phone.', hours: 'Hours until it becomes a proposal', done: '{field} is withheld for {purpose} now, on every node.',
    holding: 'Holding now', ended: 'Ended', setBy: 'Set by', expires: 'Becomes a proposal', proposal: 'Proposal {version}', lift: 'Lift',
    liftQuestion: 'The field is open again at once, as far as the policy says. Whoever closed it cannot do this.', nothingHolds: 'Nothing is withheld in an emergency.',
    own: 'Set by you: somebody else lifts it.', ending: 'Ending', lifted: 'lifted', lasting: 'became a rule', refused: 'refused',
    exemptions: 'Exemptions in force', noExemptions: 'No rule of the version in force ends by itself.',
  },
  {
    lead: '任何一名工作人员均可立即停止某字段在某用途下的披露，对所有机构、所有使用方式生效。到期后自动转为提案，在他人审批之前持续有效。',
    close: '停止披露', closing: '立即停止披露', field: '字段（数据集.字段）', reason: '原因代码', reasonHint: '小写字母、数字和下划线，将写入日志：wrong_values、court_order、leak_suspected。',
    fieldWrong: '请按“数据集.字段”填写，如 owner.phone。', hours: '多少小时后转为提案', done: '{field} 在用途 {purpose} 下已在全部节点停止披露。',
    holding: '正在生效', ended: '已结束', setBy: '设置人', expires: '转为提案时间', proposal: '提案 {version}', lift: '解除', liftQuestion: '字段将立即按策略恢复披露。设置人本人不能解除。', nothingHolds: '目前没有紧急停止的字段。', own: '由您设置，须由他人解除。',
    ending: '结果', lifted: '已解除', lasting: '已成为规则', refused: '已驳回',
    exemptions: '生效中的豁免', noExemptions: '生效版本中没有自动失效的规则。',
  },
);
