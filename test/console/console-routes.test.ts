import { strict as assert } from 'node:assert';
import { consoleOperations } from '../../src/gateway/console/console-routes.ts';
import { textOf } from '../support/sources.ts';

/** @member page file below src/console @member text what stands there */
type Row = readonly [operation: string, page: string, text: string];

const rows: readonly Row[] = [
  ['readCatalogue', 'parts/catalogue-words.ts', 'catalogueClient(calls).catalogue('], ['readPolicy', 'parts/use-institutions.ts', 'catalogueClient(calls).policy('],
  ['platformKeys', 'enterprise/own-export.tsx', 'platformKeySet(calls)'], ['readLogKey', 'bank/receipts.tsx', "path: '/v1/log/key'"],
  ['proveEntry', 'bank/receipts.tsx', '/v1/log/entries/${receipt.log.index}/proof'], ['readEntry', 'audit/entry.tsx', 'auditorClient(calls).entry('],
  ['listInstitutions', 'parts/use-institutions.ts', 'officerClient(calls).institutions('], ['listGrants', 'enterprise/grants.tsx', 'grantsClient(calls).grants('],
  ['readGrant', 'enterprise/grant.tsx', 'grantsClient(calls).readGrant('], ['listGrantRequests', 'enterprise/requests.tsx', 'grantRequestsClient(calls).grantRequests('],
  ['listModels', 'compliance/models.tsx', 'modelsClient(calls).list('], ['readModel', 'compliance/model.tsx', 'modelsClient(calls).read('],
  ['listObjections', 'compliance/objections.tsx', 'objectionsClient(calls).list('], ['readObjection', 'compliance/objection.tsx', 'objectionsClient(calls).read('],

  ['listPolicies', 'compliance/versions.tsx', 'policiesClient(calls).list('], ['reviewPolicy', 'compliance/version.tsx', 'policiesClient(calls).review('],
  ['replayPolicy', 'compliance/replay.tsx', 'policiesClient(calls).replay('], ['proposePolicy', 'compliance/proposal.tsx', 'policiesClient(calls).propose('],
  ['approvePolicy', 'compliance/version-decision.tsx', 'client.approve('], ['refusePolicy', 'compliance/version-decision.tsx', 'client.refuse('],
  ['withdrawPolicy', 'compliance/version-decision.tsx', 'client.withdraw('], ['rollBackPolicy', 'compliance/version-decision.tsx', 'client.rollBack('],
  ['readPolicyMatrix', 'compliance/policy.tsx', 'policyCellsClient(calls).matrix('], ['readPolicyCell', 'compliance/cell-dialog.tsx', 'policyCellsClient(calls).cell('],
  ['readPolicyPurpose', 'compliance/purpose.tsx', 'policyPurposesClient(calls).purpose('], ['judgePolicyEdits', 'compliance/proposal.tsx', 'policyCellsClient(calls).judge('],
  ['samplePolicyOpenings', 'compliance/samples.tsx', 'policyCellsClient(calls).samples('], ['listWithholds', 'compliance/withholds.tsx', 'policiesClient(calls).withholds('],
  ['withholdField', 'compliance/withholds.tsx', 'policiesClient(calls).withhold('], ['liftWithhold', 'compliance/withholds.tsx', 'policiesClient(calls).lift('],
  ['readInstitution', 'compliance/institution.tsx', 'officerClient(calls).institution('], ['assessInstitution', 'compliance/assessment-form.tsx', 'officerClient(calls).assess('],
  ['approveInstitution', 'compliance/institution-actions.tsx', 'client.approve('], ['suspendInstitution', 'compliance/institution-actions.tsx', 'client.suspend('],
  ['reinstateInstitution', 'compliance/institution-actions.tsx', 'client.reinstate('], ['revokeInstitution', 'compliance/institution-actions.tsx', 'client.revoke('],
  ['changeLimits', 'compliance/institution-actions.tsx', 'officerClient(calls).changeLimits('], ['listStaff', 'compliance/people.tsx', 'officerClient(calls).staff('],
  ['registerOfficer', 'compliance/register-forms.tsx', 'officerClient(calls).registerOfficer('], ['approveOfficer', 'compliance/people.tsx', 'officerClient(calls).approveOfficer('],
  ['registerEnterprise', 'compliance/register-forms.tsx', 'officerClient(calls).registerEnterprise('], ['registerDepartment', 'compliance/register-forms.tsx', 'officerClient(calls).registerDepartment('],
  ['checkModel', 'compliance/model-checks.tsx', 'modelsClient(calls).check('], ['tryModel', 'compliance/model-checks.tsx', 'modelsClient(calls).try('],
  ['approveModel', 'compliance/model.tsx', 'client.approve('], ['refuseModel', 'compliance/model.tsx', 'client.refuse('], ['retireModel', 'compliance/model.tsx', 'client.retire('],
  ['listJointProjects', 'compliance/projects.tsx', 'jointProjectsClient(calls).projects('], ['readJointProject', 'compliance/project.tsx', 'jointProjectsClient(calls).project('],
  ['readJointBalances', 'compliance/project.tsx', 'jointProjectsClient(calls).balances('], ['approveJointProject', 'compliance/project.tsx', 'client.approve('],
  ['refuseJointProject', 'compliance/project.tsx', 'client.refuse('], ['stopJointProject', 'compliance/project.tsx', 'client.stop('],
  ...(['accept', 'return', 'remedy', 'reject'] as const).map((action): Row => [`${action}Objection`, 'compliance/objection-texts.ts', ` ${action}: '`]), // one button each, as the objection says

  ['nameInstitutions', 'enterprise/institution-names.ts', 'institutionNames('], ['listReaders', 'enterprise/readers.tsx', 'readersClient(calls).readers('],
  ['listAccesses', 'enterprise/entry-list.tsx', 'auditorClient(calls).accesses('], ['readEntryReceipt', 'enterprise/access.tsx', 'auditorClient(calls).entryReceipt('],
  ['exportOwn', 'enterprise/own-export.tsx', 'exportClient(calls).exportText('], ['consentReceipt', 'enterprise/grant.tsx', 'grantsClient(calls).receipt('],
  ...(['pause', 'resume', 'revoke'] as const).map((action): Row => [`${action}Grant`, 'enterprise/grant-actions.tsx', `'${action}'`]),
  ['readGrantRequest', 'enterprise/request.tsx', 'grantRequestsClient(calls).readGrantRequest('], ['acceptGrantRequest', 'enterprise/request-answer.tsx', 'grantRequestsClient(calls).acceptGrantRequest('],
  ['refuseGrantRequest', 'enterprise/request-answer.tsx', 'grantRequestsClient(calls).refuseGrantRequest('], ['submitObjection', 'enterprise/new-objection.tsx', 'objectionsClient(calls).submit('],
  ['closeObjection', 'enterprise/objection.tsx', "objectionsClient(calls).take(objection.id, 'close'"],

  ['query', 'bank/query-answer.tsx', 'queryClient(calls).exchangeSigned('], ['explainQuery', 'bank/query-explanation.tsx', 'queryClient(calls).explain('],
  ['createGrantRequest', 'bank/request-grant.tsx', 'grantRequestsClient(calls).askForGrant('], ['withdrawGrantRequest', 'bank/grants.tsx', 'grantRequestsClient(calls).withdrawGrantRequest('],
  ['listNotices', 'bank/notices.tsx', 'noticesClient(calls).notices('], ['acknowledgeNotice', 'bank/notices.tsx', 'noticesClient(calls).acknowledge('],
  ['score', 'bank/scores.tsx', 'scoresClient(calls).exchangeSigned('], ['explainScore', 'bank/scores.tsx', 'scoresClient(calls).explain('],
  ['openScoreJob', 'bank/score-job.ts', 'client.open('], ['addScoreJobChunk', 'bank/score-job.ts', 'client.submit('], ['startScoreJob', 'bank/score-job.ts', 'client.submit('],
  ['listScoreJobs', 'bank/score-job-table.tsx', 'scoreJobsClient(calls).list('], ['readScoreJob', 'bank/score-job.ts', 'client.progress('],
  ['cancelScoreJob', 'bank/score-job-table.tsx', 'scoreJobsClient(calls).cancel('], ['listScoreJobParts', 'bank/score-job.ts', 'client.parts('],
  ['readScoreJobPart', 'bank/score-job.ts', 'client.part('], ['readScoreJobReport', 'bank/score-job.ts', 'scoreJobsClient(calls).unscored('],

  ['listEntries', 'audit/entries.tsx', 'reportsClient(calls).entries('], ['readSignedRequest', 'audit/signed-request.tsx', 'auditorClient(calls).request('],
  ['readWorkReport', 'audit/reports.tsx', 'reportsClient(calls).workReport('], ['readInstitutionReport', 'audit/incidents.tsx', 'reportsClient(calls).institutionReport('],
  ['readRecords', 'audit/verification-run.ts', 'auditorClient(calls).records'], ['readCheckpoint', 'audit/verification-run.ts', 'reader.checkpoint('],
  ['listCheckpoints', 'audit/verification-run.ts', 'history'], ['proveConsistency', 'audit/verification-run.ts', 'checkContinuation(calls'],
  ...[1, 2, 3, 4, 5].map((depth): Row => [`readTile${depth}`, 'audit/verification-run.ts', 'reader.tile(']),
];

describe('what the consoles may call', () => {
  it('is what a page calls, and nothing else', () => {
    assert.deepEqual(rows.map(([operation]) => operation).toSorted(), [...consoleOperations].toSorted());
    const missing = rows.filter(([, page, text]) => !textOf(`src/console/${page}`).includes(text));
    assert.deepEqual(missing, [], 'no page calls it any more: take it off the list');
  });
});
