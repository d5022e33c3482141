import { auditArea } from './audit/area.ts';
import { bankArea } from './bank/area.ts';
import { complianceArea } from './compliance/area.ts';
import { enterpriseArea } from './enterprise/area.ts';
import type { Area } from './shell/area.ts';

/** Everything the console has, in the order of the navigation; who sees what follows from the scopes. */
export const areas: readonly Area[] = [complianceArea, enterpriseArea, bankArea, auditArea];
