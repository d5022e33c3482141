import type { Area } from '../shell/area.ts';
import { texts } from '../shell/language.tsx';

const auditor = ['audit'];
/** Figures are for compliance officers too; single entries are not. */
const auditorOrOfficer = ['audit', 'compliance'];

/** The pages of the auditor. Nothing here changes anything. */
export const auditArea: Area = {
  name: 'audit',
  titles: texts(
    { audit: 'Audit', home: 'Overview', entries: 'Log', entry: 'Entry', verification: 'Verification', reports: 'Work reports', incidents: 'Institution review' },
    { audit: '审计', home: '概览', entries: '日志', entry: '日志条目', verification: '日志验证', reports: '工作报告', incidents: '机构核查' },
  ),
  pages: [
    { path: 'audit', title: 'home', inNavigation: true, scopes: auditor, load: () => import('./home.tsx') },
    { path: 'audit/entries', title: 'entries', inNavigation: true, scopes: auditor, load: () => import('./entries.tsx') },
    { path: 'audit/entries/:index', title: 'entry', scopes: auditor, load: () => import('./entry.tsx') },
    { path: 'audit/verification', title: 'verification', inNavigation: true, scopes: auditor, load: () => import('./verification.tsx') },
    { path: 'audit/reports', title: 'reports', inNavigation: true, scopes: auditorOrOfficer, load: () => import('./reports.tsx') },
    { path: 'audit/institutions', title: 'incidents', inNavigation: true, scopes: auditorOrOfficer, load: () => import('./incidents.tsx') },
  ],
};
