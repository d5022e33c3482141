import { texts } from '../shell/language.tsx';

/** Words of proposals, versions and their history. */
export const versionTexts = texts(
  {
    proposed: 'Proposed', approved: 'Approved', in_force: 'In force', superseded: 'Superseded', refused: 'Refused', withdrawn: 'Withdrawn',
    pack: 'Start of the installation', proposal: 'Proposal', rollback: 'Going back', withhold: 'From an emergency withhold',
    version: 'Version {version}', origin: 'Origin', proposedBy: 'Proposed by', proposedAt: 'Proposed on', decidedBy: 'Decided by', decidedAt: 'Decided on', comment: 'Why', decisionComment: 'Reason of the decision', inForceFrom: 'In force from', effective: 'To be in force from', digest: 'Digest of the files', atOnce: 'as soon as it is approved', platform: 'The platform',
    listLead: 'Every version of the policy, newest first: who proposed it, who decided, when and why. Each step is in the transparency log.', waiting: 'Waiting for a decision', history: 'History', nothingWaits: 'No proposal waits for a decision.', open: 'Open', stateFilter: 'State',
    against: 'Compared with version {version}.', summary: 'What changes', noDifference: 'What is disclosed does not change.', settings: 'Settings that change', combinations: '{changed} of {all} combinations of field, purpose, class, consent and use differ.', risk: 'Risk', words: 'Change',
    loosened: 'More open', mixed: 'More and less', altered: 'Other form', tightened: 'Less open',
    marks: 'Look at first', loosens: 'Opens more', mixedMark: 'Changes that cannot be ranked', opens_personal: 'Opens personal information', opens_level_4: 'Opens fields of level 4 or 5', widens_settings: 'Widens settings', changes_tests: 'Changes tests', removes_tests: 'Removes tests', rules_without_test: 'New rules without a test', tests_fail: 'Tests fail', noMarks: 'Nothing stands out.',
    tests: 'Tests', testsRun: '{run} tests run, {failed} expectations fail.', files: 'Files', added: 'added', changed: 'changed', removed: 'removed', exemptions: 'Exemptions', over: 'over',
    replay: 'How the last decisions would have come out', replayCount: 'Decisions', runReplay: 'Work them out', replayAnswer: 'Of {queries} past queries {more} would have got more, {less} less, {otherwise} otherwise.', replayUnknown: '{unknown} depend on what callers stated; {skipped} could not be worked out again; {unlike} come out unlike their record.', replayNone: 'There are no past decisions to work out yet.', more: 'More', less: 'Less', otherwise: 'Otherwise', unknown: 'Unknown', institutions: 'Institutions', fields: 'Fields',
    decide: 'Decide', approve: 'Approve', refuse: 'Refuse', withdraw: 'Withdraw', rollBack: 'Propose this version again', approveQuestion: 'You approve exactly these files. The version comes into force {when}.', refuseQuestion: 'The proposal ends. Its author sees your reason.', withdrawQuestion: 'Your proposal ends. You can propose again at any time.', rollBackQuestion: 'The files of this version become a new proposal. Somebody else decides on it.', reason: 'Reason', whenDue: 'on {time}', whenApproved: 'at once, on every node',
    own: 'You proposed this version: somebody else must approve it.', stale: 'Another version is in force by now than the one this changes. It cannot be approved: its author brings it up to date and proposes again.', notYours: 'This proposal waits for a decision of somebody other than its author.',
  },
  {
    proposed: '待审批', approved: '已批准', in_force: '生效中', superseded: '已被取代', refused: '已驳回', withdrawn: '已撤回',
    pack: '初始策略', proposal: '提案', rollback: '回退', withhold: '由紧急停止转为提案',
    version: '第 {version} 版', origin: '来源', proposedBy: '提案人', proposedAt: '提案时间', decidedBy: '审批人', decidedAt: '审批时间', comment: '提案说明', decisionComment: '审批意见', inForceFrom: '生效时间', effective: '拟生效时间', digest: '文件摘要', atOnce: '批准后立即生效', platform: '平台',
    listLead: '策略的全部版本，按时间倒序排列：提案人、审批人、时间和理由。每一步均记入透明日志。', waiting: '待审批', history: '历史版本', nothingWaits: '没有待审批的提案。', open: '打开', stateFilter: '状态',
    against: '与第 {version} 版比较。', summary: '变更内容', noDifference: '披露内容没有变化。', settings: '设置变更', combinations: '在 {all} 种字段、用途、机构类别、授权范围和使用方式的组合中，有 {changed} 种发生变化。', risk: '风险', words: '变更',
    loosened: '放宽', mixed: '有宽有严', altered: '形式变更', tightened: '收紧',
    marks: '重点关注', loosens: '扩大开放', mixedMark: '宽严难以比较的变更', opens_personal: '开放个人信息', opens_level_4: '开放 4 级或 5 级字段', widens_settings: '放宽设置', changes_tests: '修改了测试', removes_tests: '删除了测试', rules_without_test: '新规则缺少测试', tests_fail: '测试未通过', noMarks: '没有需要特别关注的内容。',
    tests: '测试', testsRun: '共运行 {run} 项测试，{failed} 项预期未达到。', files: '文件', added: '新增', changed: '修改', removed: '删除', exemptions: '豁免', over: '已到期',
    replay: '对近期决策的重新推算', replayCount: '决策数量', runReplay: '开始推算', replayAnswer: '在过去 {queries} 次查询中，{more} 次会得到更多，{less} 次会得到更少，{otherwise} 次形式不同。', replayUnknown: '{unknown} 次取决于机构当时申报的信息；{skipped} 次无法重新推算；{unlike} 次与原记录不一致。', replayNone: '目前没有可供推算的历史决策。', more: '更多', less: '更少', otherwise: '形式不同', unknown: '无法确定', institutions: '机构', fields: '字段',
    decide: '审批', approve: '批准', refuse: '驳回', withdraw: '撤回', rollBack: '重新提议此版本', approveQuestion: '您批准的正是这些文件。该版本将{when}生效。', refuseQuestion: '提案将终止，提案人会看到您的理由。', withdrawQuestion: '您的提案将终止，可随时重新提出。', rollBackQuestion: '此版本的文件将成为新的提案，由他人审批。', reason: '理由', whenDue: '于 {time} ', whenApproved: '立即在全部节点',
    own: '此版本由您提出，须由他人批准。', stale: '目前生效的版本已不是该提案所依据的版本，无法批准。请提案人更新后重新提出。', notYours: '该提案须由提案人以外的人员审批。',
  },
);
