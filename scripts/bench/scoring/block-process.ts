/**
 * A process of its own that scores blocks as a worker does, with the stages of the real line and nothing about grants:
 * find the columns, fetch them from PostgreSQL, evaluate and mask, have the custodian open, seal the masks for the bank.
 */
import path from 'node:path';
import { provideBase64 } from '../../../src/base64.ts';
import { systemClock } from '../../../src/clock.ts';
import { createMetrics } from '../../../src/gateway/metrics.ts';
import { composeScoring } from '../../../src/gateway/scoring.ts';
import { unloggedStanding } from '../../../src/gateway/use-cases/policy-standing.ts';
import { createReleaser } from '../../../src/gateway/use-cases/release.ts';
import { parameterSetOf } from '../../../src/gateway/use-cases/score-one.ts';
import { gatewayHalf, grantsDigest, sealGatewayHalf } from '../../../src/gateway/use-cases/score-seal.ts';
import { requestVault } from '../../../src/audit/request-vault.ts';
import { openKeyring } from '../../../src/identity/keyring.ts';
import { columnsOf } from '../../../src/scoring/feature/columns.ts';
import { loadFeatures } from '../../../src/scoring/feature/load.ts';
import { slotsPerBlock } from '../../../src/scoring/feature/positions.ts';
import type { Feature } from '../../../src/scoring/protocol.ts';
import { filledByAll, isFilled, outputsOf } from '../../../src/scoring/run/outputs.ts';
import { createTallies } from '../../../src/scoring/run/tally.ts';
import { loadCatalogue } from '../../../src/source/catalogue.ts';
import { openDatabase } from '../../../src/store/database.ts';
import type { GrantId, SubjectId } from '../../../src/vocabulary.ts';
import type { BlockNews, BlockOrder, BlockRound, BlockSetup } from './block-words.ts';

provideBase64();
const policies = path.resolve(import.meta.dirname, '../../../policies');
const tell = (news: BlockNews) => process.send?.(news);

function prepare(setup: BlockSetup) {
  const { model, institution, recipient, gatewayUrl } = setup;
  const database = openDatabase({ url: setup.databaseUrl, maxConnections: 8, applicationName: 'veilgate bench blocks' });
  const keyring = openKeyring(setup.keysFolder, systemClock);
  const catalogue = loadCatalogue(path.join(policies, 'catalogue'));
  const declared = loadFeatures(policies, catalogue);
  const features = model.terms.map(({ feature }) => declared.get(feature) as Feature);
  const tallies = createTallies(() => true);
  const standing = unloggedStanding(() => { throw new Error('nothing is decided here'); });
  const { desk } = composeScoring({
    database, clock: systemClock, signer: keyring.gatewaySigner, gatewayUrl, custodian: setup.custodian, logOrigin: 'bench/log', metrics: createMetrics(),
    standing, space: () => ({ features: declared, fields: catalogue.fields }),
    pool: { threads: setup.threads, memoryMb: 1024, cacheBytesMax: setup.cacheBytesMax },
  }, tallies, createReleaser(database, systemClock, requestVault(keyring.requestSecrets), tallies, standing, () => {}));
  let stepSeconds: Record<string, number> = {};
  const timed = async <T>(step: string, work: () => Promise<T>): Promise<T> => {
    const startMs = performance.now();
    const result = await work();
    stepSeconds[step] = (stepSeconds[step] ?? 0) + (performance.now() - startMs) / 1000;
    return result;
  };

  const scoreBlock = async (block: number, { enterprises, request, requestDigest }: BlockRound): Promise<void> => {
    const key = await desk.key();
    const set = parameterSetOf(key);
    const [subjects, columns] = await timed('lookup', async () => Promise.all([
      listed(block, enterprises), columnsOf(database, { key: key.keyId, features, blocks: [block] }),
    ]));
    const inOrder = features.map(({ id }) => columns.find(({ feature }) => feature === id));
    const filled = filledByAll(inOrder);
    const placed = subjects.map((subject, slot) => ({ subject, slot })).filter(({ slot }) => isFilled(filled, slot));
    if (placed.length !== subjects.length) throw new Error(`block ${block} is not filled`);
    const masked = await timed('evaluate', () => desk.evaluate({ set, key, affinity: block, digests: inOrder.map((column) => column?.packedDigest ?? ''), outputs: outputsOf(model).outputs, bounds: features }));
    const grants = grantsDigest(placed.map(({ subject }) => subject as string as GrantId));
    const opened = await timed('custodian', () => desk.openMasked({
      ticket: { job: 'bench', key: key.keyId, parameters: key.parameters, slots: placed.map(({ slot }) => slot), grants: grants.digest, request },
      ciphertexts: masked.map(({ ciphertext }) => ciphertext),
    }));
    const gateway = await timed('seal', () => sealGatewayHalf(
      gatewayHalf({ ticket: opened.ticket, model: model.ref, modulus: set.plainModulus, masks: masked.map(({ masks }) => masks), released: placed.map((one, place) => ({ ...one, place })) }),
      { key: recipient, issuer: gatewayUrl, institution, requestDigest, nowMs: systemClock.nowMs() },
    ));
    tell({ block, sealed: { custodian: opened.half, gateway } });
  };
  /** Who stands in a block, one row: as a job's plan has it. */
  const listed = async (block: number, enterprises: number): Promise<SubjectId[]> => {
    const { rows: [row] } = await database.query<{ subjects: string }>({
      name: 'bench subjects', text: "select string_agg(subject, ',' order by place) as subjects from score_position where place >= $1 and place < $2",
      values: [block * slotsPerBlock, Math.min(enterprises, (block + 1) * slotsPerBlock)],
    });
    return (row?.subjects ?? '').split(',') as SubjectId[];
  };

  return {
    /** Key, statements and threads are there, blinders are being made. */
    ready: async () => { await desk.key(); },
    async round(round: BlockRound): Promise<Readonly<Record<string, number>>> {
      stepSeconds = {};
      const blocks = Math.ceil(round.enterprises / slotsPerBlock);
      let next = 0;
      const work = async () => {
        for (let block = next++; block < blocks; block = next++) await scoreBlock(block, round);
      };
      await Promise.all(Array.from({ length: round.width }, work));
      return stepSeconds;
    },
  };
}

let line: ReturnType<typeof prepare> | undefined;
process.on('message', (order: BlockOrder) => {
  const done = 'setup' in order ? (line = prepare(order.setup)).ready().then(() => tell({ ready: true })) : line?.round(order.round).then((stepSeconds) => tell({ over: { stepSeconds } }));
  done?.catch((error: unknown) => tell({ failed: error instanceof Error ? `${error.message} ${error.stack}` : String(error) }));
});
process.on('disconnect', () => process.exit(0));
