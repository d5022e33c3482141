import { texts } from '../shell/language.tsx';

export const scoreTexts = texts(
  {
    one: 'One enterprise', keepScore: 'Keep score and receipt', showKept: 'Show a kept score', keptFile: 'Kept score (JSON)', keptHint: 'The file `veilgate score one --out` or this page wrote. It is opened on this machine.',
    reasonsTitle: 'What cost most points', noReasons: 'Nothing cost points.', enterprise: 'Enterprise', grant: 'Grant', entry: 'Log entry', disputed: 'The enterprise disputes values behind this score: {fields}.', askAgain: 'A score is given once. To ask again sends a new request and spends the grant again.',
    receiptRight: 'The receipt is right: the platform signed exactly this request and this answer.', receiptWrong: 'The receipt is wrong. Keep the score and tell the platform.',
    SCORE_MODEL_NOT_USABLE: 'There is no such approved model for you and this purpose.', CONSENT_REQUIRED: 'The enterprise has not granted it to you.', SCORE_NOT_PERMITTED: 'The grant or the policy does not cover every field the model needs.',
    SCORE_DATA_MISSING: 'The platform does not have every value the model needs.', SCORE_LIMIT_REACHED: 'With the scores you have had of it, this one would tell too much.', SCORE_UNAVAILABLE: 'The platform gives no scores at the moment.', DISCLOSURE_KEY_MISSING: 'Your encryption key is not registered.',
    notYet: 'A score cannot be given yet', functionals: 'Of this enterprise you have had {obtained} functions of its data; this model adds {added}.',
  },
  {
    one: '单个企业', keepScore: '保存评分与回执', showKept: '查看已保存的评分', keptFile: '已保存的评分(JSON)', keptHint: '由 `veilgate score one --out` 或本页面生成的文件,在本机打开。',
    reasonsTitle: '主要扣分原因', noReasons: '没有扣分项。', enterprise: '企业', grant: '授权', entry: '日志条目', disputed: '企业对评分所依据的以下字段有异议:{fields}。', askAgain: '每次评分只给出一次。再次评分会发送新的请求并再次消耗授权次数。',
    receiptRight: '回执正确:平台签名的正是本次请求与本次结果。', receiptWrong: '回执有误。请保存评分并告知平台。',
    SCORE_MODEL_NOT_USABLE: '没有可供本机构用于该用途的已批准模型。', CONSENT_REQUIRED: '企业尚未授权。', SCORE_NOT_PERMITTED: '授权或策略未覆盖模型所需的全部字段。',
    SCORE_DATA_MISSING: '平台缺少模型所需的部分数据。', SCORE_LIMIT_REACHED: '加上本机构已获得的评分,本次评分会透露过多信息。', SCORE_UNAVAILABLE: '平台目前无法评分。', DISCLOSURE_KEY_MISSING: '本机构的加密公钥尚未登记。',
    notYet: '暂时无法评分', functionals: '关于该企业,本机构已获得其数据的 {obtained} 个函数值;本模型将增加 {added} 个。',
  },
);

export const scoreListTexts = texts(
  {
    lead: 'Many enterprises at once. The list goes to the platform only; scores come back in parts that only your key opens.', begin: 'Score a list', listFile: 'List of enterprises (CSV)', listHint: 'First line `subject` or `subject,grant`, then one enterprise a line; up to {max}.',
    listRead: 'Enterprises in the list: {count}', start: 'Score this list', sending: 'Sent: {sent} of {chunks} parts of the list.', started: 'The list is being scored.', jobs: 'Lists', job: 'Job', model: 'Model', progress: 'Progress', scored: '{scored} scored, {unscored} not scored, of {count}', created: 'Begun', until: 'Results until', purpose: 'Purpose',
    noJobs: 'No list was scored yet.', open: 'takes the list', planning: 'finds out who can be scored', running: 'is being scored', done: 'done', cancelled: 'cancelled', stopped: 'stopped',
    cancel: 'Cancel the job', cancelTitle: 'Cancel this job?', cancelText: 'Nothing more is scored. What was released stays and can be fetched.', report: 'Who is not scored', reportNone: 'Everybody was scored.', subject: 'Enterprise', why: 'Why', reportDownload: 'Download (CSV)', reportCut: 'The first {count} are shown; the file has all of them.',
    results: 'Results (CSV)', resultsTitle: 'Open the results', resultsLead: 'Choose the list again: it says whose scores may be in the results. They are opened on this machine and handed over as a file.', resultsHere: 'Results of a job can be opened in the browser that began it.', opening: 'Opening part {part}.', opened: '{count} scores were opened; every receipt is right.', otherList: 'This is another list than the one that was scored: choose that one.',
  },
  {
    lead: '一次对多家企业评分。名单只交给平台;评分分批返回,只有您的密钥能打开。', begin: '对名单评分', listFile: '企业名单(CSV)', listHint: '首行为 `subject` 或 `subject,grant`,其后每行一家企业;最多 {max} 家。',
    listRead: '名单中的企业数:{count}', start: '开始评分', sending: '已发送名单的 {sent} / {chunks} 部分。', started: '名单正在评分。', jobs: '评分任务', job: '任务', model: '模型', progress: '进度', scored: '共 {count} 家:已评分 {scored},未评分 {unscored}', created: '开始时间', until: '结果保留至', purpose: '用途',
    noJobs: '还没有评分任务。', open: '正在接收名单', planning: '正在确定可评分的企业', running: '正在评分', done: '已完成', cancelled: '已取消', stopped: '已停止',
    cancel: '取消任务', cancelTitle: '取消此任务?', cancelText: '不再继续评分。已给出的结果仍可取回。', report: '未评分名单', reportNone: '全部企业均已评分。', subject: '企业', why: '原因', reportDownload: '下载(CSV)', reportCut: '仅显示前 {count} 条,文件中包含全部。',
    results: '结果(CSV)', resultsTitle: '打开结果', resultsLead: '请再次选择名单:只有名单中的企业才可能出现在结果中。结果在本机打开,并以文件形式交给您。', resultsHere: '任务结果只能在发起该任务的浏览器中打开。', opening: '正在打开第 {part} 批。', opened: '已打开 {count} 个评分,所有回执均正确。', otherList: '这不是评分时所用的名单,请选择原名单。',
  },
);
