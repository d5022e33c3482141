import { createHash } from 'node:crypto';
import path from 'node:path';
import { requestVault } from '../../src/audit/request-vault.ts';
import { systemClock, type Clock } from '../../src/clock.ts';
import { admitGrants } from '../../src/consent/admit.ts';
import { createMetrics, type Metrics } from '../../src/gateway/metrics.ts';
import { openPolicySource } from '../../src/gateway/policy-source.ts';
import { composeScoring, type Scoring } from '../../src/gateway/scoring.ts';
import type { Admission } from '../../src/gateway/use-cases/answer-query.ts';
import { createReleaser } from '../../src/gateway/use-cases/release.ts';
import { scoreOne, subjectOf, type ReceiptedScore, type ScoreDesk } from '../../src/gateway/use-cases/score-one.ts';
import type { SignedScore } from '../../src/gateway/use-cases/score-request.ts';
import { openKeyring } from '../../src/identity/keyring.ts';
import { loadFeatures } from '../../src/scoring/feature/load.ts';
import type { Model, ScoreRequestClaims } from '../../src/scoring/protocol.ts';
import { createTallies, type JudgeFunctionals } from '../../src/scoring/run/tally.ts';
import { signScoreRequest, type ScoreAsk } from '../../src/sdk/scores.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import type { InstitutionClass, InstitutionId } from '../../src/vocabulary.ts';
import type { TestPlatform } from './gateway.ts';

const root = path.resolve(import.meta.dirname, '../..');

export type ScoreLine = {
  readonly desk: ScoreDesk;
  readonly metrics: Metrics;
  /** A request as the gateway has it after identification. */
  readonly signed: (institution: string, ask: ScoreAsk) => Promise<SignedScore>;
  /** The whole line for a request that came in just now; `desk` in the place of the line's own. */
  readonly score: (signed: SignedScore, desk?: ScoreDesk) => Promise<ReceiptedScore>;
  readonly close: () => Promise<void>;
};

/**
 * The line of one score over a platform's own database, custodian and keys, in this process: with models that need no
 * approval, and a desk of which any step can be replaced. It learns of another policy when it is asked to follow, never by itself.
 */
export async function composeLine(platform: TestPlatform, models: ReadonlyMap<string, Model>, options: { readonly judge?: JudgeFunctionals; readonly clock?: Clock } = {}): Promise<ScoreLine> {
  const { database, config, custodian, gateway } = platform;
  const clock = options.clock ?? systemClock;
  const catalogue = loadCatalogue(path.join(root, 'policies/catalogue'));
  const { standing } = await openPolicySource(config, database, catalogue, clock);
  const features = loadFeatures(path.join(root, 'policies'), catalogue);
  const keyring = openKeyring(config.keysFolder, clock);
  const tallies = createTallies(options.judge ?? (() => true));
  const metrics = createMetrics();
  const releaser = createReleaser(database, clock, requestVault(keyring.requestSecrets), tallies, standing, () => {});
  const scoring: Scoring = composeScoring({
    database, clock, standing, space: () => ({ features, fields: catalogue.fields }), signer: keyring.gatewaySigner, gatewayUrl: gateway.gatewayUrl,
    logOrigin: config.auditLogOrigin, metrics, custodian, pool: { threads: 1, memoryMb: 512, cacheBytesMax: 64 * 1_048_576 },
  }, tallies, releaser);
  const desk: ScoreDesk = { ...scoring.desk, model: async (ref) => models.get(ref) };

  const signed: ScoreLine['signed'] = async (institution, ask) => {
    const credentials = await platform.credentials(institution);
    const { request, subjects } = await signScoreRequest({ gateway: gateway.gatewayUrl, credentials }, {
      kind: 'one', model: ask.model, purpose: ask.purpose, lifetimeS: 60, subjects: [{ subject: ask.subject, ...(ask.grant === undefined ? {} : { grant: ask.grant }) }],
    });
    const { score } = JSON.parse(Buffer.from(request.split('.')[1] ?? '', 'base64url').toString()) as ScoreRequestClaims;
    return { institution: institution as InstitutionId, score, request, requestDigest: createHash('sha256').update(request).digest('hex'), asked: subjects };
  };
  return {
    desk, metrics, signed,
    async score(request, by = desk) {
      const { subject, grant } = subjectOf(request);
      const [found] = await admitGrants(database, [{ institution: request.institution, subject, purpose: request.score.purpose, atMs: clock.nowMs(), ...(grant === undefined ? {} : { grant }) }]);
      const caller = { party: request.institution, kind: 'institution' as const, scopes: new Set(['query' as const]), dpopKeyThumbprint: 'x', institutionClass: 'commercial_bank' as InstitutionClass, securityLevel: 4 };
      return scoreOne(by, request, { caller, grant: found } as Admission);
    },
    close: scoring.close,
  };
}
