import { texts } from '../shell/language.tsx';

/** Words of scoring models and joint projects under review. */
export const modelTexts = texts(
  {
    modelsLead: 'Scorecards that institutions propose. An approved one is evaluated on encrypted features; only the bank reads the score.', models: 'Models', noModels: 'No model has been proposed yet.',
    proposed: 'Proposed', approved: 'Approved', active: 'Active', refused: 'Refused', retired: 'Retired', ended: 'Ended', stopped: 'Stopped',
    model: 'Model', purposes: 'Purposes', proposedBy: 'Proposed by', proposedAt: 'Proposed on', decidedBy: 'Decided by', retiredBy: 'Retired by', reason: 'Reason code', digest: 'Digest of the document', institutions: 'Only for', classes: 'Institution classes', range: 'Raw score between', rangeText: '{low} and {high}',
    terms: 'Features and weights', feature: 'Feature', weight: 'Weight', picture: 'Picture of the weights', offset: 'Offset', scale: 'Scale', bands: 'Bands', from: 'From', code: 'Code', text: 'Text', lowest: 'lowest', reasons: 'Reason groups', features: 'Features',
    findings: 'What the guards say', noFindings: 'The guards have no objection.', rule: 'Rule', part: 'Part', found: 'Found', allowed: 'Allowed', problem: 'What to change', conflicts: 'Not beside these approved models', trial: 'Trial on made-up enterprises', runTrial: 'Try it out', trialAnswer: '{count} made-up enterprises: scores from {min} to {max}, {mean} on average.', share: 'Share',
    decide: 'Decide', approve: 'Approve', refuse: 'Refuse', retire: 'Retire', stop: 'Stop', approveModel: 'You approve exactly this document. Institutions may have scores by it at once.', refuseModel: 'The proposal ends; the institution sees the code.', retireModel: 'No score is given by it any more, at once and on every node.', reasonHint: 'Reason code: small letters, digits and _', done: 'Done.', own: 'You proposed this: somebody else must decide.',
    projectsLead: 'What partners may work out on encrypted data together with the platform: columns, cohort, privacy budget. Two officers approve.', projects: 'Joint projects', noProjects: 'No joint project has been proposed yet.', partner: 'Partner', endsOn: 'Last day', approvals: '{count} of 2 approvals', approvalBy: 'Approved by', purpose: 'Purpose', datasets: 'Datasets', columns: 'Columns of the platform', partnerColumns: 'Columns of the partner', name: 'Name', source: 'Field', encoding: 'Encoding', bins: '{count} bins', steps: '{steps} steps from {min} to {max}', budget: 'Privacy budget', budgetText: 'epsilon {epsilon} at delta {delta}', cohortMin: 'Smallest cohort', bundles: 'Bundles', closedBy: 'Closed by',
    balances: 'Budget left', account: 'Account', total: 'Total (rho)', spent: 'Spent (rho)', left: 'Left (rho)', spentEpsilon: 'Spent (epsilon)', approveProject: 'You approve exactly this document. With the second approval the partner may begin.', refuseProject: 'The proposal ends; the partner sees the code.', stopProject: 'Nothing is released under it any more, at once.',
  },
  {
    modelsLead: '机构提出的评分卡。获批后在加密特征上计算，只有银行能看到分数。', models: '评分模型', noModels: '尚无模型提案。',
    proposed: '待审批', approved: '已批准', active: '进行中', refused: '已驳回', retired: '已停用', ended: '已结束', stopped: '已终止',
    model: '模型', purposes: '用途', proposedBy: '提案机构', proposedAt: '提案时间', decidedBy: '审批人', retiredBy: '停用人', reason: '原因代码', digest: '文件摘要', institutions: '仅限', classes: '机构类别', range: '原始分范围', rangeText: '{low} 至 {high}',
    terms: '特征与权重', feature: '特征', weight: '权重', picture: '权重图示', offset: '偏移', scale: '比例', bands: '分档', from: '起始', code: '代码', text: '说明', lowest: '最低', reasons: '原因组', features: '特征',
    findings: '安全检查结果', noFindings: '安全检查未发现问题。', rule: '规则', part: '部分', found: '实际', allowed: '允许', problem: '修改建议', conflicts: '不能与以下已批准模型并用', trial: '虚拟企业试算', runTrial: '试算', trialAnswer: '{count} 家虚拟企业：分数 {min} 至 {max}，平均 {mean}。', share: '占比',
    decide: '审批', approve: '批准', refuse: '驳回', retire: '停用', stop: '终止', approveModel: '您批准的正是此文件。机构可立即使用该模型评分。', refuseModel: '提案将终止，机构会看到原因代码。', retireModel: '全部节点立即停止使用该模型评分。', reasonHint: '原因代码：小写字母、数字和下划线', done: '已完成。', own: '此提案由您提出，须由他人审批。',
    projectsLead: '合作方可与平台在加密数据上共同计算的内容：数据列、样本群和隐私预算。须由两名工作人员批准。', projects: '联合建模项目', noProjects: '尚无联合建模项目。', partner: '合作方', endsOn: '截止日期', approvals: '已获 {count} / 2 人批准', approvalBy: '批准人', purpose: '用途', datasets: '数据集', columns: '平台数据列', partnerColumns: '合作方数据列', name: '名称', source: '字段', encoding: '编码方式', bins: '{count} 个分箱', steps: '{min} 至 {max} 分 {steps} 级', budget: '隐私预算', budgetText: 'ε = {epsilon}，δ = {delta}', cohortMin: '最小样本群', bundles: '批次数', closedBy: '关闭人',
    balances: '剩余预算', account: '账户', total: '总额（ρ）', spent: '已用（ρ）', left: '剩余（ρ）', spentEpsilon: '已用（ε）', approveProject: '您批准的正是此文件。第二人批准后合作方即可开始。', refuseProject: '提案将终止，合作方会看到原因代码。', stopProject: '立即停止该项目的一切输出。',
  },
);
