import { texts } from '../shell/language.tsx';

/** Words of the grid of fields × purposes. */
export const gridTexts = texts(
  {
    lead: 'What the policy says to one class of institutions, worked out by the policy itself. Choose a cell to see why, and to change it in your draft.',
    grid: 'Fields by purposes', institutionClass: 'Institution class', use: 'Use', consent: 'Consent', level: 'Level', kind: 'Kind', disposition: 'Says',
    version: 'Version {version}, in force since {time}',
    read: 'Read', verify: 'Verify', score: 'Score', aggregate: 'Aggregate',
    original: 'To the original', desensitised: 'To the desensitised form',
    public: 'Public', commercial_secret: 'Commercial secret', personal: 'Personal',
    levelOf: 'Level {level}', shown: '{shown} of {count} fields are shown.', filters: 'Filters', field: 'Field',
    clear: 'In clear', mask: 'Masked', band: 'In bands', token: 'As a token', verifyShort: 'Verified', scoreShort: 'In scores', aggregateShort: 'In aggregates', withhold: 'Withheld',
    not_minimum_for_purpose: 'Not needed', not_available: 'Hidden', conditional: 'conditional', edited: 'changed in your draft', withheldNow: 'emergency withhold',
    draft: 'Your draft: {count} changes', openDraft: 'Review and propose', legend: 'What the colours mean',
    keys: 'Arrow keys move from cell to cell, Enter opens one. Home and End go to the first and last purpose.',
    changesOnly: 'Changed in my draft only',
  },
  {
    lead: '策略对某一类机构的全部规定，由策略引擎实时计算。选择单元格可查看依据，并在草稿中修改。',
    grid: '字段与用途', institutionClass: '机构类别', use: '使用方式', consent: '企业授权', level: '级别', kind: '性质', disposition: '处理方式', version: '第 {version} 版，自 {time} 起生效',
    read: '查询', verify: '核验', score: '评分', aggregate: '汇总',
    original: '授权提供原始值', desensitised: '授权提供脱敏值',
    public: '公开信息', commercial_secret: '商业秘密', personal: '个人信息',
    levelOf: '{level} 级', shown: '共 {count} 个字段，显示 {shown} 个。', filters: '筛选条件', field: '字段',
    clear: '原始值', mask: '脱敏', band: '区间', token: '令牌', verifyShort: '可核验', scoreShort: '可评分', aggregateShort: '可汇总', withhold: '不提供',
    not_minimum_for_purpose: '非必要', not_available: '不可见', conditional: '有条件', edited: '草稿中已修改', withheldNow: '紧急停止披露',
    draft: '我的草稿：{count} 项修改', openDraft: '审阅并提交', legend: '颜色说明', keys: '方向键在单元格之间移动，回车键打开。Home 与 End 键移到第一个和最后一个用途。',
    changesOnly: '仅显示草稿中修改的字段',
  },
);
