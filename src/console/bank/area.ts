import type { Area } from '../shell/area.ts';
import { texts } from '../shell/language.tsx';

export const bankArea: Area = {
  name: 'bank',
  titles: texts({ bank: 'Workbench', home: 'Overview' }, { bank: '机构工作台', home: '概览' }),
  pages: [
    { path: 'bank', title: 'home', inNavigation: true, scopes: ['query'], load: () => import('./home.tsx') },
  ],
};
