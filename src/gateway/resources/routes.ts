import type { Route } from '../route.ts';
import { readyVersions } from '../use-cases/policy-cells.ts';
import { accountRoutes } from './accounts.ts';
import { catalogueRoutes } from './catalogue.ts';
import { datasetRoutes } from './datasets.ts';
import { featureRoutes } from './features.ts';
import { grantRequestRoutes } from './grant-requests.ts';
import { grantRoutes } from './grants.ts';
import { institutionRoutes } from './institutions.ts';
import { jointCohortRoutes } from './joint-cohorts.ts';
import { jointProjectRoutes } from './joint-projects.ts';
import { jointReleaseRoutes } from './joint-releases.ts';
import { jointRunRoutes } from './joint-runs.ts';
import { logEntryRoutes } from './log-entries.ts';
import { logRoutes } from './log.ts';
import { modelRoutes } from './models.ts';
import { noticeRoutes } from './notices.ts';
import { objectionRoutes } from './objections.ts';
import { ownExportRoutes } from './own-export.ts';
import { partyRoutes } from './parties.ts';
import { policyRoutes } from './policies.ts';
import { policyCellRoutes } from './policy-cells.ts';
import { policyPurposeRoutes } from './policy-purposes.ts';
import { policyWithholdRoutes } from './policy-withholds.ts';
import { queryRoutes } from './queries.ts';
import { reportRoutes } from './reports.ts';
import { readerRoutes } from './readers.ts';
import { scoreJobRoutes } from './score-jobs.ts';
import { scoreRoutes } from './scores.ts';
import type { Services } from './services.ts';
import { staffRoutes } from './staff.ts';
import { wellKnownRoutes } from './well-known.ts';

/** Every door of the gateway. */
export function routes(services: Services): readonly Route[] {
  const versions = readyVersions(services.policies);
  return [
    ...queryRoutes(services),
    ...scoreRoutes(services),
    ...scoreJobRoutes(services),
    ...grantRoutes(services),
    ...grantRequestRoutes(services),
    ...readerRoutes(services),
    ...ownExportRoutes(services),
    ...institutionRoutes(services),
    ...partyRoutes(services),
    ...staffRoutes(services),
    ...accountRoutes(services),
    ...datasetRoutes(services),
    ...catalogueRoutes(services),
    ...logRoutes(services),
    ...logEntryRoutes(services),
    ...reportRoutes(services),
    ...featureRoutes(services),
    ...modelRoutes(services),
    ...policyRoutes(services),
    ...policyCellRoutes(services, versions),
    ...policyPurposeRoutes(services, versions),
    ...policyWithholdRoutes(services),
    ...jointProjectRoutes(services),
    ...jointCohortRoutes(services),
    ...jointRunRoutes(services),
    ...jointReleaseRoutes(services),
    ...objectionRoutes(services),
    ...noticeRoutes(services),
    ...wellKnownRoutes(services),
  ];
}
