import type { Route } from '../route.ts';

/**
 * Routes of the gateway that pages of the consoles call, by whose pages they are. What is not here does not exist for a
 * browser's session: keys and accounts are for whoever holds the party's key, files and joint modelling for programs.
 */
const byPages: Readonly<Record<string, readonly string[]>> = {
  several: ['readCatalogue', 'readPolicy', 'platformKeys', 'readLogKey', 'proveEntry', 'readEntry', 'listInstitutions', 'listGrants', 'readGrant', 'listGrantRequests', 'listModels', 'readModel', 'listObjections', 'readObjection'],
  compliance: [
    'listPolicies', 'reviewPolicy', 'replayPolicy', 'proposePolicy', 'approvePolicy', 'refusePolicy', 'withdrawPolicy', 'rollBackPolicy',
    'readPolicyMatrix', 'readPolicyCell', 'readPolicyPurpose', 'judgePolicyEdits', 'samplePolicyOpenings', 'listWithholds', 'withholdField', 'liftWithhold',
    'readInstitution', 'assessInstitution', 'approveInstitution', 'suspendInstitution', 'reinstateInstitution', 'revokeInstitution', 'changeLimits',
    'listStaff', 'registerOfficer', 'approveOfficer', 'registerEnterprise', 'registerDepartment',
    'checkModel', 'tryModel', 'approveModel', 'refuseModel', 'retireModel', 'listJointProjects', 'readJointProject', 'readJointBalances', 'approveJointProject', 'refuseJointProject', 'stopJointProject',
    'acceptObjection', 'returnObjection', 'remedyObjection', 'rejectObjection',
  ],
  enterprise: [
    'nameInstitutions', 'listReaders', 'listAccesses', 'readEntryReceipt', 'exportOwn', 'consentReceipt', 'pauseGrant', 'resumeGrant', 'revokeGrant',
    'readGrantRequest', 'acceptGrantRequest', 'refuseGrantRequest', 'submitObjection', 'closeObjection',
  ],
  bank: [
    'query', 'explainQuery', 'createGrantRequest', 'withdrawGrantRequest', 'listNotices', 'acknowledgeNotice', 'score', 'explainScore',
    'openScoreJob', 'addScoreJobChunk', 'startScoreJob', 'listScoreJobs', 'readScoreJob', 'cancelScoreJob', 'listScoreJobParts', 'readScoreJobPart', 'readScoreJobReport',
  ],
  audit: [
    'listEntries', 'readSignedRequest', 'readWorkReport', 'readInstitutionReport',
    'readRecords', 'readCheckpoint', 'listCheckpoints', 'proveConsistency', 'readTile1', 'readTile2', 'readTile3', 'readTile4', 'readTile5',
  ],
};

/** Names of the operations that pages call. */
export const consoleOperations: ReadonlySet<string> = new Set(Object.values(byPages).flat());

/** Of the gateway's routes those that pages call. */
export function consoleRoutes(routes: readonly Route[]): readonly Route[] {
  return routes.filter(({ operationId }) => consoleOperations.has(operationId));
}
