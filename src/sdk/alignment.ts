import { VeilgateError } from '../errors.ts';
import { createAlignment, match, pointsMax } from '../joint/cohort/alignment.ts';
import { loadGroup, pointBytes, type Group } from '../joint/cohort/group.ts';
import type { SubjectId } from '../vocabulary.ts';
import { sha256Hex } from './bank.ts';

/** A run as the gateway describes it. */
export type Alignment = {
  readonly id: string;
  readonly cohort: string;
  readonly state: 'open' | 'done' | 'expired';
  /** Codes on one's list, members of the cohort. */
  readonly points: number;
  readonly members: number;
  readonly chunk_points: number;
  readonly list_chunks: { readonly total: number; readonly done: readonly number[] };
  readonly cohort_chunks: { readonly total: number; readonly done: readonly number[] };
  readonly opened_at: string;
  readonly deadline: string;
};

/** What goes on with an interrupted run. Secret: with it the cohort's points can be told apart. */
export type AlignmentState = {
  readonly alignment: string;
  readonly cohort: string;
  /** 32 bytes, base64url. */
  readonly secret: string;
  /** SHA-256, lower-case hex, of the list in its order. */
  readonly list: string;
};

/** Blinds pieces of at most 8,192 codes or points, for who has threads to give. @param run the alignment's id; secret: 32 bytes; answers: 32 bytes each */
export type Blinding = {
  readonly blind: (run: string, secret: Uint8Array, codes: readonly SubjectId[]) => Promise<Uint8Array<ArrayBuffer>>;
  /** Errors: COHORT_POINT_REFUSED. */
  readonly blindAgain: (run: string, secret: Uint8Array, points: Uint8Array) => Promise<Uint8Array<ArrayBuffer>>;
};

export type AlignOptions = {
  /** Without it codes are blinded here, in turns. */
  readonly blinding?: Blinding;
  /** Of the interrupted run; the list must be the same. */
  readonly resume?: AlignmentState;
  /** Called before anything is sent: keep it where only you can read it. */
  readonly onOpen?: (state: AlignmentState) => void | Promise<void>;
  /** @param done, all codes blinded on either side */
  readonly onProgress?: (done: number, all: number) => void;
};

/** The run's steps over the wire. */
export type AlignmentSteps = {
  readonly open: (cohort: string, points: number) => Promise<Alignment>;
  readonly read: (alignment: string) => Promise<Alignment>;
  readonly end: (alignment: string) => Promise<Alignment>;
  readonly blindAgain: (alignment: string, chunk: number, points: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
  readonly cohortPoints: (alignment: string, chunk: number) => Promise<Uint8Array>;
};

/** Codes blinded before others get a turn: some 25 ms. */
const turn = 256;

/**
 * Aligns a list with a cohort, both directions side by side: while the platform blinds one chunk, the next is blinded
 * here. The run is ended when all is known.
 * Errors: ALIGNMENT_CHUNK_REFUSED when the list is not the one a resumed run began with; those of the gateway.
 */
export async function alignList(steps: AlignmentSteps, cohort: string, list: readonly SubjectId[], { blinding, resume, onOpen, onProgress = () => {} }: AlignOptions = {}): Promise<(number | undefined)[]> {
  const group = await loadGroup();
  const listDigest = await sha256Hex(list.join('\n'));
  if (resume !== undefined && (resume.list !== listDigest || resume.cohort !== cohort)) {
    throw new VeilgateError('ALIGNMENT_CHUNK_REFUSED', 'The interrupted alignment was of another list or cohort: finish it with its own, or begin another.', { rule: 'list_fixed' });
  }
  const run = resume === undefined ? await steps.open(cohort, list.length) : await steps.read(resume.alignment);
  const secret = resume === undefined ? group.randomScalar() : fromBase64url(resume.secret);
  if (resume === undefined) await onOpen?.({ alignment: run.id, cohort, secret: base64url(secret), list: listDigest });

  const { blind, blindAgain } = blinding ?? ownBlinding(group);
  let done = 0;
  const progress = (codes: number) => onProgress(done += codes, run.points + run.members);
  const [own, members] = await Promise.all([
    inOrder(run.list_chunks.total, run.points, async (n) => {
      const codes = list.slice(n * pointsMax, (n + 1) * pointsMax);
      const again = await steps.blindAgain(run.id, n, await blind(run.id, secret, codes));
      requirePoints(again, codes.length);
      progress(codes.length);
      return again;
    }),
    inOrder(run.cohort_chunks.total, run.members, async (n) => {
      const points = await steps.cohortPoints(run.id, n);
      const length = Math.min(pointsMax, run.members - n * pointsMax);
      requirePoints(points, length);
      const again = await blindAgain(run.id, secret, points);
      progress(length);
      return again;
    }),
  ]);
  await steps.end(run.id);
  return match(own, members);
}

/** All chunks, two under way at a time, joined in their order. */
async function inOrder(chunks: number, points: number, work: (n: number) => Promise<Uint8Array>): Promise<Uint8Array> {
  const all = new Uint8Array(points * pointBytes);
  let next = 0;
  const hand = async () => {
    while (next < chunks) {
      const n = next;
      next += 1;
      all.set(await work(n), n * pointsMax * pointBytes);
    }
  };
  await Promise.all([hand(), hand()]);
  return all;
}

function ownBlinding(group: Group): Blinding {
  return {
    blind: (run, secret, codes) => inTurns(codes.length, (from, to) => createAlignment(group, run).blind(secret, codes.slice(from, to))),
    blindAgain: (run, secret, points) => inTurns(points.length / pointBytes, (from, to) => createAlignment(group, run).blindAgain(secret, points.subarray(from * pointBytes, to * pointBytes))),
  };
}

/** Long arithmetic in pieces, so that a page stays alive and answers are read meanwhile. */
async function inTurns(codes: number, blind: (from: number, to: number) => Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const points = new Uint8Array(codes * pointBytes);
  for (let from = 0; from < codes; from += turn) {
    points.set(blind(from, Math.min(codes, from + turn)), from * pointBytes);
    await new Promise((resolve) => setTimeout(resolve));
  }
  return points;
}

function requirePoints(points: Uint8Array, expected: number): void {
  if (points.length !== expected * pointBytes) throw new VeilgateError('COHORT_POINT_REFUSED', 'The platform answered with another number of points than there must be: do not go on, and report it.');
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function fromBase64url(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
}
