import type { Area } from '../shell/area.ts';
import { texts } from '../shell/language.tsx';

export const auditArea: Area = {
  name: 'audit',
  titles: texts({ audit: 'Audit', home: 'Overview' }, { audit: '审计', home: '概览' }),
  pages: [
    { path: 'audit', title: 'home', inNavigation: true, scopes: ['audit'], load: () => import('./home.tsx') },
  ],
};
