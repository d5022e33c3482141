import type { AuditReader } from '../../audit/read.ts';
import type { Clock } from '../../clock.ts';
import type { Identity } from '../../identity/identify.ts';
import type { CompiledPolicy } from '../../policy/policy.ts';
import type { Database } from '../../store/database.ts';
import type { Catalogue, Signer, SubjectId, SubjectPseudonym } from '../../vocabulary.ts';
import type { QueryOutcome } from '../metrics.ts';
import type { Scoring } from '../scoring.ts';
import type { Admissions } from '../use-cases/admission.ts';
import type { QueryDesk } from '../use-cases/answer-query.ts';
import type { ConsentReceipts } from '../use-cases/consent-receipts.ts';
import type { JobDoor } from '../use-cases/score-job-requests.ts';
import type { DoorRefusals } from '../use-cases/door-refusals.ts';
import type { SignedRequests } from '../use-cases/signed-request.ts';
import type { JointDesk } from '../use-cases/joint-projects.ts';
import type { JointRunDesk } from '../use-cases/joint-run-desk.ts';
import type { ModelDesk } from '../use-cases/models.ts';
import type { ExportDesk } from '../use-cases/own-export.ts';
import type { ObjectionDesk } from '../use-cases/objections.ts';
import type { PolicyDesk } from '../use-cases/policy-versions.ts';
import type { FeatureServices } from './features.ts';

/** What resources are made of: the stages, put together once by composition.ts. */
export type Services = {
  readonly database: Database;
  readonly clock: Clock;
  readonly catalogue: Catalogue;
  readonly policy: () => CompiledPolicy;
  readonly identity: Identity;
  readonly admissions: Admissions;
  readonly desk: QueryDesk;
  readonly scoring: Scoring;
  readonly jobs: JobDoor;
  /** Refusals of requests that were not let in. */
  readonly refusals: DoorRefusals;
  readonly receipts: ConsentReceipts;
  readonly log: AuditReader;
  readonly signedRequests: SignedRequests;
  /** Verifier key of the log's checkpoints (C2SP signed-note). */
  readonly logVerifierKey: string;
  readonly signer: Signer;
  readonly pseudonymOf: (subject: SubjectId) => SubjectPseudonym;
  /** Public keys that sign receipts, consent receipts and consent tokens; retired ones included. */
  readonly publicKeys: readonly Readonly<Record<string, unknown>>[];
  /** Public URLs without a slash at the end. */
  readonly gatewayUrl: string;
  readonly issuerUrl: string;
  readonly features: FeatureServices;
  readonly models: ModelDesk;
  readonly policies: PolicyDesk;
  readonly joint: JointDesk;
  readonly jointRuns: JointRunDesk;
  readonly objections: ObjectionDesk;
  readonly ownExport: ExportDesk;
  readonly onQuery: (outcome: QueryOutcome, ms: number) => void;
};
