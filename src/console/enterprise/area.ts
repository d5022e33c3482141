import type { Area, Page } from '../shell/area.ts';
import { texts } from '../shell/language.tsx';

const scopes = ['grants'];
const listed = { inNavigation: true, scopes } as const;

export const enterpriseArea: Area = {
  name: 'enterprise',
  titles: texts(
    {
      enterprise: 'My enterprise', home: 'Overview', requests: 'Requests', request: 'Request for a grant', grants: 'Grants', grant: 'Grant',
      readers: 'Who has access', history: 'Access history', access: 'Entry of the history',
      objections: 'Objections', newObjection: 'New objection', objection: 'Objection', data: 'My data and account',
    },
    {
      enterprise: '我的企业', home: '概览', requests: '授权申请', request: '授权申请', grants: '我的授权', grant: '授权详情', readers: '谁能查询我', history: '查询记录', access: '记录详情',
      objections: '异议处理', newObjection: '提出异议', objection: '异议详情', data: '数据导出与账户',
    },
  ),
  pages: [
    { ...listed, path: 'enterprise', title: 'home', load: () => import('./home.tsx') },
    { ...listed, path: 'enterprise/requests', title: 'requests', load: () => import('./requests.tsx') },
    { scopes, path: 'enterprise/requests/:request', title: 'request', load: () => import('./request.tsx') },
    { ...listed, path: 'enterprise/grants', title: 'grants', load: () => import('./grants.tsx') },
    { scopes, path: 'enterprise/grants/:grant', title: 'grant', load: () => import('./grant.tsx') },
    { ...listed, path: 'enterprise/readers', title: 'readers', load: () => import('./readers.tsx') },
    { ...listed, path: 'enterprise/history', title: 'history', load: () => import('./history.tsx') },
    { scopes, path: 'enterprise/history/:entry', title: 'access', load: () => import('./access.tsx') },
    { ...listed, path: 'enterprise/objections', title: 'objections', load: () => import('./objections.tsx') },
    { scopes, path: 'enterprise/objections/new', title: 'newObjection', load: () => import('./new-objection.tsx') },
    { scopes, path: 'enterprise/objections/:objection', title: 'objection', load: () => import('./objection.tsx') },
    { ...listed, path: 'enterprise/data', title: 'data', load: () => import('./data.tsx') },
  ] satisfies readonly Page[],
};
