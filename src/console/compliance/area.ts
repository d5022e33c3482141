import type { Area } from '../shell/area.ts';
import { texts } from '../shell/language.tsx';

export const complianceArea: Area = {
  name: 'compliance',
  titles: texts({ compliance: 'Compliance', home: 'Overview' }, { compliance: '合规', home: '概览' }),
  pages: [
    { path: 'compliance', title: 'home', inNavigation: true, scopes: ['compliance'], load: () => import('./home.tsx') },
  ],
};
