import { texts } from '../shell/language.tsx';

/** Words of the draft and of its way to a proposal. */
export const proposalTexts = texts(
  {
    lead: 'Your changes, as they would be proposed. They are kept in this tab until you propose or discard them; nobody else sees them.',
    empty: 'Your draft is empty. Choose cells in the grid, or a purpose, to change them.', toGrid: 'To the grid',
    edits: 'Changes', edit: 'Change', forClasses: 'for {classes}', desensitised: 'Consent to the desensitised form: {what}', original: 'Consent to the original: {what}', nothing: 'nothing',
    when: 'with a condition', fromLevel: 'from security level {level}', endsOn: 'ends on {day}', remove: 'Take out', discard: 'Discard the draft', discardQuestion: 'All changes of your draft are thrown away.',
    effect: 'What it does', against: 'Compared with version {version}.', tests: 'Tests', testsPass: 'All {run} tests pass.', testsFail: '{failing} expectations of {run} tests do not come true.',
    adjusted: '{count} expectations are brought up to date with the proposal; the reviewer sees that tests change.',
    adjust: 'Bring the expectations about the changed cells up to date', promised: 'A promise: it must stay true whoever edits a rule. The proposal will be refused.',
    edited: 'About a cell you change', other: 'About another cell', renamed: 'Another rule', expectation: 'Expectation', expected: 'Expected', got: 'Comes out', kindTitle: 'Kind',
    propose: 'Propose', comment: 'Why, in your own words', commentHint: 'Shown to whoever decides. Not part of the log.', commentMissing: 'Say why.', dayOver: 'This day is over: choose a later one, or none.', effective: 'First day in force',
    effectiveHint: 'Empty: as soon as it is approved. It begins at midnight, Shanghai time.', proposed: 'Proposed as version {version}. Somebody else decides on it now.',
    toVersion: 'Open the proposal',
    staleTitle: 'Version {now} is in force by now; your draft changes version {basis}',
    stale: 'Nothing is overwritten. Look at both sides, then apply your changes to the newest version, or discard them.', theirs: 'What changed meanwhile', yours: 'What you change',
    both: 'Files changed on both sides: {files}', reapply: 'Apply my changes to version {now}', cellChanged: 'This cell changed meanwhile', cellSame: 'Not touched by the others',
    filesTheirs: 'Their files: {files}', filesYours: 'Your files: {files}',
  },
  {
    lead: '您的修改，即将以此内容提交。提交或放弃之前仅保存在本标签页，其他人看不到。', empty: '草稿为空。请在字段策略表中选择单元格，或选择用途进行修改。', toGrid: '前往字段策略',
    edits: '修改内容', edit: '修改', forClasses: '适用于：{classes}', desensitised: '授权提供脱敏值时：{what}', original: '授权提供原始值时：{what}', nothing: '不提供', when: '附条件', fromLevel: '安全等级不低于 {level}', endsOn: '{day} 起失效', remove: '撤销', discard: '放弃草稿',
    discardQuestion: '草稿中的全部修改将被丢弃。',
    effect: '修改的影响', against: '与第 {version} 版比较。', tests: '测试', testsPass: '全部 {run} 项测试通过。', testsFail: '共 {run} 项测试，{failing} 项预期未达到。', adjusted: '{count} 项预期将随提案一并更新；审批人会看到测试有改动。',
    adjust: '同时更新与所改单元格有关的测试预期', promised: '承诺性测试：无论谁修改规则都必须成立，提案将被拒绝。', edited: '涉及所改单元格', other: '涉及其他单元格', renamed: '规则名称不同', expectation: '测试预期', expected: '预期', got: '实际', kindTitle: '类型',
    propose: '提交提案', comment: '修改理由', commentHint: '供审批人查阅，不写入日志。', commentMissing: '请填写修改理由。', dayOver: '该日期已过，请另选日期或留空。', effective: '生效日期', effectiveHint: '留空则批准后立即生效；自当日零时（上海时间）起生效。', proposed: '已提交为第 {version} 版，待他人审批。',
    toVersion: '打开提案',
    staleTitle: '第 {now} 版已生效，您的草稿基于第 {basis} 版', stale: '不会覆盖任何内容。请对照双方的修改，再将您的修改应用到最新版本，或放弃草稿。', theirs: '期间的变更', yours: '您的修改', both: '双方都修改的文件：{files}', reapply: '将我的修改应用到第 {now} 版',
    cellChanged: '该单元格期间已被修改', cellSame: '期间未被他人修改', filesTheirs: '对方修改的文件：{files}', filesYours: '您修改的文件：{files}',
  },
);
