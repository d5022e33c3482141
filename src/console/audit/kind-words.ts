import type { AuditKind } from '../../audit/entry.ts';
import type { Words } from '../shell/language.tsx';

/** What each kind of entry says, in an auditor's words. A new kind does not compile until it has its words. */
const kindWords: Readonly<Record<AuditKind, Words>> = {
  'query.released': { en: 'Query answered', zh: '查询已答复' }, 'query.refused': { en: 'Query refused', zh: '查询被拒绝' },
  'queries.refused': { en: 'Queries refused at the door, counted', zh: '入口拒绝（合并计数）' },
  'score.released': { en: 'Score given', zh: '评分已提供' }, 'scores.released': { en: 'Scores of a part of a list given', zh: '批量评分已提供（分批）' },
  'score.refused': { en: 'Score refused', zh: '评分被拒绝' },
  'grant.created': { en: 'Grant given', zh: '授权生效' }, 'grant.paused': { en: 'Grant paused', zh: '授权暂停' }, 'grant.resumed': { en: 'Grant resumed', zh: '授权恢复' },
  'grant.revoked': { en: 'Grant revoked', zh: '授权撤销' }, 'grant.exhausted': { en: 'Grant used up', zh: '授权次数用尽' }, 'grant.expired': { en: 'Grant ended', zh: '授权到期' },
  'grant.requested': { en: 'Grant requested', zh: '申请授权' }, 'grant.request_accepted': { en: 'Request accepted', zh: '授权申请获同意' },
  'grant.request_refused': { en: 'Request refused', zh: '授权申请被拒绝' }, 'grant.request_withdrawn': { en: 'Request withdrawn', zh: '授权申请撤回' },
  'institution.applied': { en: 'Institution applied', zh: '机构申请接入' }, 'institution.assessed': { en: 'Institution assessed', zh: '机构安全评估' },
  'institution.approved': { en: 'Institution approved', zh: '机构获准接入' }, 'institution.suspended': { en: 'Institution suspended', zh: '机构暂停接入' },
  'institution.reinstated': { en: 'Institution reinstated', zh: '机构恢复接入' }, 'institution.revoked': { en: 'Institution excluded', zh: '机构终止接入' },
  'institution.limits_changed': { en: 'Limits of an institution changed', zh: '机构限额变更' }, 'institution.key_added': { en: 'Institution added a key', zh: '机构新增密钥' },
  'institution.key_retired': { en: 'Institution retired a key', zh: '机构停用密钥' },
  'enterprise.registered': { en: 'Enterprise registered', zh: '企业登记' }, 'enterprise.activated': { en: 'Enterprise activated', zh: '企业账户激活' },
  'account.invited': { en: 'Account invited', zh: '邀请人员' }, 'account.activated': { en: 'Account activated', zh: '人员账户激活' }, 'account.removed': { en: 'Account removed', zh: '人员账户移除' },
  'department.registered': { en: 'Department registered', zh: '部门登记' }, 'officer.registered': { en: 'Officer registered', zh: '工作人员登记' },
  'officer.approved': { en: 'Officer approved', zh: '工作人员获准' },
  'party.suspended': { en: 'Party suspended', zh: '参与方暂停' }, 'party.reinstated': { en: 'Party reinstated', zh: '参与方恢复' }, 'party.revoked': { en: 'Party excluded', zh: '参与方终止' },
  'party.key_added': { en: 'Party added a key', zh: '参与方新增密钥' }, 'party.key_retired': { en: 'Party retired a key', zh: '参与方停用密钥' },
  'policy.loaded': { en: 'Policy loaded', zh: '策略加载' }, 'policy.proposed': { en: 'Policy proposed', zh: '策略提案' }, 'policy.approved': { en: 'Policy approved', zh: '策略批准' },
  'policy.refused': { en: 'Policy refused', zh: '策略提案驳回' }, 'policy.withdrawn': { en: 'Policy proposal withdrawn', zh: '策略提案撤回' },
  'policy.in_force': { en: 'Policy came into force', zh: '策略生效' },
  'policy.emergency_withheld': { en: 'Field withheld at once', zh: '紧急停止披露' }, 'policy.emergency_lifted': { en: 'Emergency withhold lifted', zh: '紧急停止披露解除' },
  'policy.emergency_proposed': { en: 'Emergency withhold became a proposal', zh: '紧急停止披露转为提案' }, 'policy.emergency_ended': { en: 'Emergency withhold ended', zh: '紧急停止披露结束' },
  'records.loaded': { en: 'Records loaded', zh: '数据装载' }, 'record.corrected': { en: 'Record replaced', zh: '数据更正' },
  'features.loaded': { en: 'Encrypted columns loaded', zh: '加密特征装载' }, 'features.removed': { en: 'Encrypted columns removed', zh: '加密特征移除' },
  'features.rekeyed': { en: 'Encrypted columns went to the next key', zh: '加密特征更换密钥' },
  'model.proposed': { en: 'Model proposed', zh: '模型提案' }, 'model.approved': { en: 'Model approved', zh: '模型批准' }, 'model.refused': { en: 'Model refused', zh: '模型驳回' },
  'model.retired': { en: 'Model retired', zh: '模型停用' },
  'joint.project_proposed': { en: 'Joint project proposed', zh: '联合建模项目提案' }, 'joint.project_approved': { en: 'Joint project approved', zh: '联合建模项目批准' },
  'joint.project_refused': { en: 'Joint project refused', zh: '联合建模项目驳回' }, 'joint.project_stopped': { en: 'Joint project stopped', zh: '联合建模项目中止' },
  'joint.project_ended': { en: 'Joint project ended', zh: '联合建模项目结束' },
  'joint.cohort_formed': { en: 'Cohort formed', zh: '样本群形成' }, 'joint.cohort_refused': { en: 'Cohort refused', zh: '样本群被拒绝' },
  'joint.alignment_opened': { en: 'Alignment opened', zh: '隐私对齐开始' }, 'joint.alignment_closed': { en: 'Alignment closed', zh: '隐私对齐结束' },
  'joint.lottery_drawn': { en: 'Lottery drawn', zh: '抽检抽签' }, 'joint.lottery_judged': { en: 'Lottery judged', zh: '抽检判定' }, 'joint.bundle_ready': { en: 'Bundle ready', zh: '密文包就绪' },
  'joint.released': { en: 'Joint result given', zh: '联合建模结果已提供' }, 'joint.refused': { en: 'Joint result refused', zh: '联合建模结果被拒绝' },
  'objection.submitted': { en: 'Objection submitted', zh: '提交异议' }, 'objection.accepted': { en: 'Objection accepted', zh: '异议受理' },
  'objection.returned': { en: 'Objection returned', zh: '异议退回' },
  'objection.corrected': { en: 'Corrected after an objection', zh: '异议更正' }, 'objection.remedied': { en: 'Objection found right', zh: '异议成立并处理' },
  'objection.rejected': { en: 'Objection rejected', zh: '异议不成立' }, 'objection.closed': { en: 'Objection closed', zh: '异议办结' },
  'notice.issued': { en: 'Institution told of a correction', zh: '发出更正通知' }, 'notice.acknowledged': { en: 'Institution took note of a correction', zh: '确认更正通知' },
  'request.shown': { en: 'Signed request read by an auditor', zh: '审计人员调阅签名请求' }, 'report.published': { en: 'Work report closed', zh: '工作报告定稿' },
  'entry.erased': { en: 'Records erased', zh: '记录删除' },
  'export.own': { en: 'Enterprise exported its own data', zh: '企业导出自有数据' },
  'custodian.opened': { en: 'Custodian opened a result', zh: '保管方解密结果' }, 'custodian.reencrypted': { en: 'Custodian re-encrypted a block', zh: '保管方重新加密' },
  'custodian.refused': { en: 'Custodian refused', zh: '保管方拒绝' },
  'custodian.alarm': { en: 'Custodian raised an alarm', zh: '保管方告警' }, 'custodian.alarm_cleared': { en: 'Custodian\'s alarm cleared', zh: '保管方告警解除' },
  'custodian.bank_admitted': { en: 'Custodian admitted an institution', zh: '保管方接入机构' }, 'custodian.bank_keys_changed': { en: 'Custodian took new keys of an institution', zh: '保管方更新机构密钥' },
  'custodian.bank_suspended': { en: 'Custodian suspended an institution', zh: '保管方暂停机构' }, 'custodian.bank_reinstated': { en: 'Custodian reinstated an institution', zh: '保管方恢复机构' },
  'custodian.key_made': { en: 'Custodian made a key', zh: '保管方生成密钥' }, 'custodian.key_retired': { en: 'Custodian retired a key', zh: '保管方停用密钥' },
};

/** A kind of a newer gateway is shown by its code. */
export function kindName(kind: string): Words {
  return Object.hasOwn(kindWords, kind) ? kindWords[kind as AuditKind] : { en: kind, zh: kind };
}

export type KindGroup = 'answers' | 'refusals' | 'grants' | 'institutions' | 'people' | 'policy' | 'records' | 'objections' | 'models' | 'joint' | 'oversight';

/** Kinds to look for together: the gateway takes twenty at a time. */
export const kindGroups = {
  answers: ['query.released', 'score.released', 'scores.released', 'joint.released'],
  refusals: ['query.refused', 'queries.refused', 'score.refused', 'joint.refused', 'joint.cohort_refused'],
  grants: [
    'grant.requested', 'grant.request_accepted', 'grant.request_refused', 'grant.request_withdrawn', 'grant.created', 'grant.paused', 'grant.resumed', 'grant.revoked', 'grant.exhausted',
    'grant.expired',
  ],
  institutions: [
    'institution.applied', 'institution.assessed', 'institution.approved', 'institution.suspended', 'institution.reinstated', 'institution.revoked', 'institution.limits_changed',
    'institution.key_added',
    'institution.key_retired',
  ],
  people: [
    'enterprise.registered', 'enterprise.activated', 'account.invited', 'account.activated', 'account.removed', 'department.registered', 'officer.registered', 'officer.approved',
    'party.suspended',
    'party.reinstated', 'party.revoked', 'party.key_added', 'party.key_retired',
  ],
  policy: [
    'policy.loaded', 'policy.proposed', 'policy.approved', 'policy.refused', 'policy.withdrawn', 'policy.in_force', 'policy.emergency_withheld', 'policy.emergency_lifted',
    'policy.emergency_proposed',
    'policy.emergency_ended',
  ],
  records: ['records.loaded', 'record.corrected', 'features.loaded', 'features.removed', 'features.rekeyed'],
  objections: [
    'objection.submitted', 'objection.accepted', 'objection.returned', 'objection.corrected', 'objection.remedied', 'objection.rejected', 'objection.closed', 'notice.issued',
    'notice.acknowledged',
  ],
  models: ['model.proposed', 'model.approved', 'model.refused', 'model.retired'],
  joint: [
    'joint.project_proposed', 'joint.project_approved', 'joint.project_refused', 'joint.project_stopped', 'joint.project_ended', 'joint.cohort_formed', 'joint.alignment_opened',
    'joint.alignment_closed',
    'joint.lottery_drawn', 'joint.lottery_judged', 'joint.bundle_ready',
  ],
  oversight: ['request.shown', 'report.published', 'entry.erased', 'export.own'],
} as const satisfies Readonly<Record<KindGroup, readonly AuditKind[]>>;

export const kindGroupNames = Object.keys(kindGroups) as readonly KindGroup[];
