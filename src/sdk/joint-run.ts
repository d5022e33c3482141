import { fromBase64url, toBase64url, toHex } from '../audit/bytes.ts';
import { VeilgateError } from '../errors.ts';
import { jointParameters as set } from '../he/joint-parameters.ts';
import { loadHe } from '../he/runtime.ts';
import { layoutOf, shiftOf } from '../joint/circuit/layout.ts';
import { bundleKeys, bundleParts, makeBundle, padBins, type BundleSpec } from '../joint/lottery/bundle.ts';
import { lotteryReady } from '../joint/lottery/keystream.ts';
import type { JointProjectJson } from '../joint/project/document.ts';
import type { Statement, StatementBudget } from '../joint/statement/statement.ts';
import type { Connection } from './connection.ts';

export type { Statement, StatementBudget } from '../joint/statement/statement.ts';

export type JointRunView = {
  readonly run: string;
  readonly project: string;
  readonly cohort: string;
  readonly state: 'drawn' | 'opened' | 'honest' | 'loaded' | 'ready' | 'cheated' | 'late';
  readonly rows: number;
  readonly columns: readonly { readonly name: string; readonly bins: number }[];
  readonly bundles: number;
  readonly drawn: number;
  readonly drawn_at: string;
  readonly deadline: string;
  readonly cheated: number | null;
  readonly pads: { readonly total: number; readonly received: number; readonly bytes: number; readonly at_once: number };
  readonly public_key: boolean;
  readonly rejected: number;
  readonly shifts: readonly string[];
};

export type JointReleaseView = {
  /** SHA-256, lower-case hex: names question and answer. */
  readonly question: string;
  readonly run: string;
  readonly project: string;
  readonly cohort: string;
  readonly statement: Statement;
  readonly cost_rho: number;
  readonly parts: number;
  readonly state: 'asked' | 'released' | 'failed';
  readonly reason: string | null;
  readonly asked_at: string;
  readonly ended_at: string | null;
};

export type JointExplanation = {
  readonly question: string | null;
  readonly known: JointReleaseView | null;
  readonly rows: number;
  readonly parts: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly cost_rho: number;
  readonly epsilon_before: number;
  readonly epsilon_after: number;
  readonly delta: number;
  readonly groups: readonly { readonly title: string; readonly results: number; readonly sensitivity_squared: number; readonly sigma: number; readonly cost_rho: number }[];
  readonly accounts: readonly { readonly account: string; readonly total_rho: number; readonly left_rho: number }[];
};

/** Secret: with a seed that was not opened, its owner's answers can be read and its columns told. Keep it where only you can read it. */
export type JointSeeds = { readonly project: string; readonly cohort: string; /** 32 bytes each, base64url. */ readonly seeds: readonly string[] };

/** Makes a bundle's digest, several at a time; for who has threads to give. */
export type DigestOf = (spec: BundleSpec, index: number, seed: Uint8Array) => Promise<string>;

/** Runs of joint modelling as a partner handles them. The same code runs in Node and in a browser. Errors: those of the gateway. */
export function jointRunClient({ call, send }: Pick<Connection, 'call' | 'send'>) {
  const run = (id: string, noun = '') => `/v1/joint-runs/${encodeURIComponent(id)}${noun}`;
  const release = (question: string, noun = '') => `/v1/joint-releases/${encodeURIComponent(question)}${noun}`;
  const put = (path: string, content: Uint8Array) => call<JointRunView>({ method: 'PUT', path, body: { type: 'application/octet-stream', content: new Uint8Array(content) } });
  return {
    commit: (project: string, cohort: string, digests: readonly string[]) => call<JointRunView>({ method: 'POST', path: '/v1/joint-runs', json: { project, cohort, digests } }),
    runs: async () => (await call<{ readonly runs: readonly JointRunView[] }>({ method: 'GET', path: '/v1/joint-runs' })).runs,
    run: (id: string) => call<JointRunView>({ method: 'GET', path: run(id) }),
    open: (id: string, seeds: readonly (string | null)[]) => call<JointRunView>({ method: 'POST', path: run(id, '/opening'), json: { seeds } }),
    putKey: (id: string, publicKey: Uint8Array) => put(run(id, '/public-key'), publicKey),
    putPads: (id: string, from: number, pads: Uint8Array) => put(run(id, `/pads/${from}`), pads),
    completeBundle: (id: string) => call<JointRunView>({ method: 'POST', path: run(id, '/bundle') }),
    putShifts: (id: string, column: string, shifts: Uint8Array) => put(run(id, `/shifts/${encodeURIComponent(column)}`), shifts),
    /** What a statement would cost: nothing is charged. */
    explain: (id: string, statement: Statement, budget: StatementBudget) => call<JointExplanation>({ method: 'POST', path: run(id, '/explanations'), json: { statement, budget } }),
    /** Charged, unless it was asked before. */
    ask: (id: string, statement: Statement, budget: StatementBudget) => call<JointReleaseView>({ method: 'POST', path: run(id, '/statements'), json: { statement, budget } }),
    release: (question: string) => call<JointReleaseView>({ method: 'GET', path: release(question) }),
    releases: async (project: string) => (await call<{ readonly releases: readonly JointReleaseView[] }>({ method: 'GET', path: `/v1/joint-projects/${encodeURIComponent(project)}/releases` })).releases,
    /** Results from a part on: as many as travel at once, one after another. */
    results: async (question: string, from: number) => new Uint8Array(await (await send({ method: 'GET', path: release(question, `/results/${from}`) })).arrayBuffer()),
  };
}

export type JointRunClient = ReturnType<typeof jointRunClient>;

export function newSeeds(project: string, cohort: string, bundles: number): JointSeeds {
  return { project, cohort, seeds: Array.from({ length: bundles }, () => toBase64url(crypto.getRandomValues(new Uint8Array(32)))) };
}

/** What bundles of a project over a cohort are made for. */
export function bundleSpec({ project, cohort }: Pick<JointSeeds, 'project' | 'cohort'>, rows: number, { partner_columns: columns }: Pick<JointProjectJson, 'partner_columns'>): BundleSpec {
  return { project, cohort, rows, columns };
}

export type LotteryOptions = {
  /** Without it bundles are made here, one after another. */
  readonly digestOf?: DigestOf;
  readonly onBundle?: (bundles: number) => void;
  readonly pollMs?: number;
};

/** Makes the digests of all bundles, in their order: two milliseconds for every 65 KB of pads. */
export async function digestsOf(spec: BundleSpec, { seeds }: JointSeeds, { digestOf, onBundle = () => {} }: LotteryOptions = {}): Promise<string[]> {
  if (digestOf !== undefined) {
    let made = 0;
    return Promise.all(seeds.map(async (seed, index) => {
      const digest = await digestOf(spec, index, bytesOf(seed));
      onBundle(made += 1);
      return digest;
    }));
  }
  await lotteryReady;
  const digests: string[] = [];
  for (const [index, seed] of seeds.entries()) {
    digests.push(await ownDigest(spec, index, bytesOf(seed)));
    onBundle(index + 1);
    await new Promise((resolve) => setTimeout(resolve)); // a page stays alive
  }
  return digests;
}

const ownDigest: DigestOf = async (spec, index, seed) => makeBundle(await loadHe(), set, spec, index, seed).digest;

/**
 * Commits, opens what was not drawn and waits for the verdict. Interrupted, it can be called again with the same seeds.
 * Errors: JOINT_LOTTERY_* and those of the gateway.
 */
export async function holdLottery(client: JointRunClient, spec: BundleSpec, seeds: JointSeeds, options: LotteryOptions = {}): Promise<JointRunView> {
  return openLottery(client, await client.commit(seeds.project, seeds.cohort, await digestsOf(spec, seeds, options)), seeds, options);
}

/** Opens what was not drawn and waits for the verdict; judged before, it is the run as it is. Errors: JOINT_LOTTERY_* and those of the gateway. */
export async function openLottery(client: JointRunClient, run: JointRunView, { seeds }: JointSeeds, { pollMs }: Pick<LotteryOptions, 'pollMs'> = {}): Promise<JointRunView> {
  if (run.state === 'drawn') await client.open(run.run, seeds.map((seed, at) => (at === run.drawn ? null : seed)));
  return settled(client, run.run, ['drawn', 'opened'], pollMs);
}

/** Makes the drawn bundle and sends it, from where an interrupted upload ended. Errors: JOINT_INPUT_INVALID when it was refused. */
export async function uploadBundle(client: JointRunClient, spec: BundleSpec, seeds: JointSeeds, id: string, options: { readonly onPads?: (sent: number, all: number) => void; readonly pollMs?: number } = {}): Promise<JointRunView> {
  const run = await client.run(id);
  if (run.state === 'ready') return run;
  if (run.state === 'honest') {
    await lotteryReady;
    const he = await loadHe();
    const seed = drawnSeed(seeds, run);
    await client.putKey(id, bundleKeys(he, set, seed).publicKey);
    let waiting: Uint8Array[] = [];
    let from = 0;
    let underWay: Promise<unknown> = Promise.resolve();
    /** One batch travels while the next is made. */
    const flush = async () => {
      await underWay;
      const [first, batch] = [from, waiting];
      from += batch.length;
      waiting = [];
      const isNew = batch.length > 0 && from > run.pads.received;
      underWay = (isNew ? client.putPads(id, first, joined(batch)) : Promise.resolve()).then(() => options.onPads?.(first + batch.length, run.pads.total));
      underWay.catch(() => {}); // looked at with the next batch, or at the end
    };
    for (const { pad } of bundleParts(he, set, spec, run.drawn, seed)) {
      if (waiting.push(pad) >= run.pads.at_once) await flush();
    }
    await flush();
    await underWay;
    await client.completeBundle(id);
  }
  const checked = await settled(client, id, ['loaded'], options.pollMs);
  if (checked.state !== 'ready') throw new VeilgateError('JOINT_INPUT_INVALID', 'What was sent is not the bundle that was committed to: send it again with the same seeds.');
  return checked;
}

/** Sends a column: one bin for each position of the cohort. For good. @param bins by position */
export async function fixColumn(client: JointRunClient, spec: BundleSpec, seeds: JointSeeds, run: JointRunView, name: string, bins: ArrayLike<number>): Promise<void> {
  await lotteryReady;
  const column = spec.columns.findIndex((each) => each.name === name);
  const shape = spec.columns[column];
  if (shape === undefined || bins.length !== spec.rows) throw new VeilgateError('JOINT_INPUT_INVALID', 'A column of the project has one bin for each position of the cohort.');
  const layout = layoutOf(set.polyModulusDegree, shape.bins);
  const pads = padBins(spec, column, drawnSeed(seeds, run));
  await client.putShifts(run.run, name, pads.map((pad, row) => shiftOf(layout, bins[row] as number, pad)));
}

/** A column by position: the bin of each customer who is in the cohort, `absent` for everybody else. */
export function columnByPosition(rows: number, positions: readonly (number | undefined)[], bins: ArrayLike<number>, absent: number): Uint8Array {
  const column = new Uint8Array(rows).fill(absent);
  positions.forEach((position, at) => {
    if (position !== undefined) column[position] = bins[at] as number;
  });
  return column;
}

/** Asks, waits until the answer is released and fetches all of it. Errors: JOINT_RELEASE_NOT_READY with the reason when it failed. */
export async function askAndFetch(client: JointRunClient, run: string, statement: Statement, budget: StatementBudget, pollMs = 200): Promise<{ readonly release: JointReleaseView; readonly results: readonly Uint8Array[] }> {
  let release = await client.ask(run, statement, budget);
  for (; release.state === 'asked'; release = await client.release(release.question)) await new Promise((resolve) => setTimeout(resolve, pollMs));
  if (release.state === 'failed') throw new VeilgateError('JOINT_RELEASE_NOT_READY', 'The question was not answered, and costs nothing: see detail.reason.', { reason: release.reason ?? 'unknown' });
  return { release, results: await fetchResults(client, release) };
}

export async function fetchResults(client: JointRunClient, { question, parts }: Pick<JointReleaseView, 'question' | 'parts'>): Promise<Uint8Array[]> {
  const results: Uint8Array[] = [];
  let each = 0;
  while (results.length < parts) {
    const bytes = await client.results(question, results.length);
    each ||= bytes.length / Math.min(parts, resultsAtOnce);
    if (bytes.length === 0 || bytes.length % each !== 0) throw new VeilgateError('HE_CIPHERTEXT_REFUSED', 'The results are not of the form that was agreed: fetch them again.');
    for (let at = 0; at < bytes.length; at += each) results.push(bytes.subarray(at, at + each));
  }
  return results;
}

const resultsAtOnce = 64;

/** SHA-256 over all results: what the log's record of the release calls `answer`. */
export async function answerDigest(results: readonly Uint8Array[]): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', joined(results))));
}

export function drawnSeed({ seeds }: JointSeeds, { drawn }: Pick<JointRunView, 'drawn'>): Uint8Array {
  return bytesOf(seeds[drawn] ?? '');
}

async function settled(client: JointRunClient, id: string, passing: readonly JointRunView['state'][], pollMs = 200): Promise<JointRunView> {
  for (;;) {
    const run = await client.run(id);
    if (!passing.includes(run.state)) return run;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

function bytesOf(seed: string): Uint8Array {
  const bytes = fromBase64url(seed);
  if (bytes?.length !== 32) throw new VeilgateError('JOINT_LOTTERY_INVALID', 'A seed is 32 bytes, base64url: the file of seeds is damaged.');
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
