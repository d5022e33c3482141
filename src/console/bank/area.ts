import type { Area } from '../shell/area.ts';
import { texts } from '../shell/language.tsx';

const scopes = ['query'];

/** The workbench of an institution's people. */
export const bankArea: Area = {
  name: 'bank',
  titles: texts(
    { bank: 'Workbench', query: 'Query', catalogue: 'Catalogue', grants: 'Grants and requests', scores: 'Scores', scoreLists: 'Scores of lists', receipts: 'Receipts', notices: 'Notices' },
    { bank: '机构工作台', query: '查询', catalogue: '数据目录', grants: '授权与申请', scores: '评分', scoreLists: '批量评分', receipts: '回执核验', notices: '更正通知' },
  ),
  pages: [
    { path: 'query', title: 'query', inNavigation: true, scopes, load: () => import('./query.tsx') },
    { path: 'catalogue', title: 'catalogue', inNavigation: true, scopes, load: () => import('./catalogue.tsx') },
    { path: 'bank/grants', title: 'grants', inNavigation: true, scopes, load: () => import('./grants.tsx') },
    { path: 'scores', title: 'scores', inNavigation: true, scopes, load: () => import('./scores.tsx') },
    { path: 'scores/lists', title: 'scoreLists', inNavigation: true, scopes, load: () => import('./score-lists.tsx') },
    { path: 'notices', title: 'notices', inNavigation: true, scopes, load: () => import('./notices.tsx') },
    { path: 'receipts', title: 'receipts', inNavigation: true, scopes, load: () => import('./receipts.tsx') },
  ],
};
