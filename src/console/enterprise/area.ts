import type { Area } from '../shell/area.ts';
import { texts } from '../shell/language.tsx';

export const enterpriseArea: Area = {
  name: 'enterprise',
  titles: texts({ enterprise: 'My enterprise', home: 'Overview' }, { enterprise: '我的企业', home: '概览' }),
  pages: [
    { path: 'enterprise', title: 'home', inNavigation: true, scopes: ['grants'], load: () => import('./home.tsx') },
  ],
};
