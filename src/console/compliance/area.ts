import type { Area } from '../shell/area.ts';
import { texts } from '../shell/language.tsx';

const officers = ['compliance', 'registry'];
const compliance = ['compliance'];

export const complianceArea: Area = {
  name: 'compliance',
  titles: texts(
    {
      compliance: 'Compliance', home: 'Overview', policy: 'Field policies', purposes: 'Purposes', purpose: 'Purpose', draft: 'My draft', versions: 'Proposals and history', version: 'Version', withholds: 'Withholds and exemptions',
      institutions: 'Institutions', institution: 'Institution', models: 'Models', model: 'Model', projects: 'Joint projects', project: 'Joint project', people: 'Parties', objections: 'Objections',
      objection: 'Objection',
    },
    {
      compliance: '合规', home: '概览', policy: '字段策略', purposes: '用途', purpose: '用途', draft: '我的草稿', versions: '提案与历史', version: '版本', withholds: '紧急停止与豁免',
      institutions: '机构', institution: '机构', models: '评分模型', model: '评分模型', projects: '联合建模项目', project: '联合建模项目', people: '主体登记', objections: '异议', objection: '异议',
    },
  ),
  pages: [
    { path: 'compliance', title: 'home', inNavigation: true, scopes: officers, load: () => import('./home.tsx') },
    { path: 'compliance/policy', title: 'policy', inNavigation: true, scopes: compliance, load: () => import('./policy.tsx') },
    { path: 'compliance/purposes', title: 'purposes', inNavigation: true, scopes: compliance, load: () => import('./purposes.tsx') },
    { path: 'compliance/purposes/:purpose', title: 'purpose', scopes: compliance, load: () => import('./purpose.tsx') },
    { path: 'compliance/new-purpose', title: 'purpose', scopes: compliance, load: () => import('./new-purpose.tsx') },
    { path: 'compliance/draft', title: 'draft', inNavigation: true, scopes: compliance, load: () => import('./proposal.tsx') },
    { path: 'compliance/versions', title: 'versions', inNavigation: true, scopes: compliance, load: () => import('./versions.tsx') },
    { path: 'compliance/versions/:version', title: 'version', scopes: compliance, load: () => import('./version.tsx') },
    { path: 'compliance/withholds', title: 'withholds', inNavigation: true, scopes: compliance, load: () => import('./withholds.tsx') },
    { path: 'compliance/institutions', title: 'institutions', inNavigation: true, scopes: officers, load: () => import('./institutions.tsx') },
    { path: 'compliance/institutions/:institution', title: 'institution', scopes: officers, load: () => import('./institution.tsx') },
    { path: 'compliance/models', title: 'models', inNavigation: true, scopes: compliance, load: () => import('./models.tsx') },
    { path: 'compliance/models/:model', title: 'model', scopes: compliance, load: () => import('./model.tsx') },
    { path: 'compliance/projects', title: 'projects', inNavigation: true, scopes: compliance, load: () => import('./projects.tsx') },
    { path: 'compliance/projects/:project', title: 'project', scopes: compliance, load: () => import('./project.tsx') },
    { path: 'compliance/objections', title: 'objections', inNavigation: true, scopes: compliance, load: () => import('./objections.tsx') },
    { path: 'compliance/objections/:objection', title: 'objection', scopes: compliance, load: () => import('./objection.tsx') },
    { path: 'compliance/people', title: 'people', inNavigation: true, scopes: officers, load: () => import('./people.tsx') },
  ],
};
