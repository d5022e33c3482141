import { texts } from '../shell/language.tsx';

/** Words of the overview. */
export const homeTexts = texts(
  { lead: 'What waits for you and your colleagues.', proposals: 'Proposals to decide on', withholds: 'Fields withheld in an emergency', institutions: 'Institutions to assess or approve',
    models: 'Models to decide on', projects: 'Joint projects to decide on', objections: 'Objections to accept or return', officers: 'Officers to let in', inForce: 'Policy version in force',
    failed: 'could not be read', atLeast: 'at least {count}' },
  { lead: '待您和同事处理的事项。', proposals: '待审批的策略提案', withholds: '紧急停止披露的字段', institutions: '待评估或批准的机构', models: '待审批的评分模型', projects: '待审批的联合建模项目', objections: '待受理的异议', officers: '待批准的工作人员',
    inForce: '生效中的策略版本', failed: '读取失败', atLeast: '至少 {count}' },
);
