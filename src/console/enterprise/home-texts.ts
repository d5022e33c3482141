import { texts } from '../shell/language.tsx';

/** Words of the overview, and of the page about one's data and account. */
export const homeTexts = texts(
  {
    title: 'Overview', lead: 'What waits for you, and what happened to the data of your enterprise.', pending: 'Requests that wait for you', open: 'Objections under way',
    overdue: 'Answers overdue', ending: 'Grants that end within {days} days', inForce: 'Grants in force',
    needs: 'Waits for you', nothingNeeds: 'Nothing waits for you.', allRequests: 'All requests', allObjections: 'All objections', allGrants: 'All grants', allHistory: 'Whole history',
    last: 'Last events', lastCaption: 'Last events about your enterprise', noneYet: 'Nothing has happened yet.',
    noEnding: 'No grant ends within {days} days.', noObjection: 'No objection is under way.', objections: 'Objections and their deadlines', more: 'at least {count}',
  },
  {
    title: '概览', lead: '需要您处理的事项，以及本企业数据的最新动态。', pending: '待答复的授权申请', open: '办理中的异议', overdue: '逾期未答复', ending: '{days} 天内到期的授权', inForce: '生效中的授权',
    needs: '待办事项', nothingNeeds: '暂无待办事项。', allRequests: '全部申请', allObjections: '全部异议', allGrants: '全部授权', allHistory: '全部记录', last: '最新动态', lastCaption: '本企业最新动态', noneYet: '暂无动态。',
    noEnding: '{days} 天内没有到期的授权。', noObjection: '没有办理中的异议。', objections: '异议及其期限', more: '至少 {count}',
  },
);
