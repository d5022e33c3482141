import type { SubjectId } from '../vocabulary.ts';
import { alignList, type AlignmentSteps, type AlignOptions, type Alignment } from './alignment.ts';
import type { GatewayCalls } from './connection.ts';
import { jointProjectsClient } from './joint-projects.ts';

export type * from './joint-projects.ts';

/** Joint modelling as partners and officers handle it. The same code runs in Node and in a browser. Errors: those of the gateway. */
export function jointClient({ call, send }: Pick<GatewayCalls, 'call' | 'send'>) {
  const cohort = (id: string, noun = '') => `/v1/joint-cohorts/${encodeURIComponent(id)}${noun}`;
  const run = (id: string, noun = '') => `/v1/joint-alignments/${encodeURIComponent(id)}${noun}`;
  const bytes = async (answer: Promise<Response>) => new Uint8Array(await (await answer).arrayBuffer());

  const steps: AlignmentSteps = {
    open: (id, points) => call<Alignment>({ method: 'POST', path: cohort(id, '/alignments'), json: { points } }),
    read: (id) => call<Alignment>({ method: 'GET', path: run(id) }),
    end: (id) => call<Alignment>({ method: 'DELETE', path: run(id) }),
    blindAgain: (id, n, points) => bytes(send({ method: 'PUT', path: run(id, `/list/${n}`), body: { type: 'application/octet-stream', content: points } })),
    cohortPoints: (id, n) => bytes(send({ method: 'GET', path: run(id, `/cohort/${n}`) })),
  };

  return {
    ...jointProjectsClient({ call }),
    alignment: steps.read,
    endAlignment: steps.end,
    /**
     * Where one's own customers stand in a cohort: for each code its position, undefined for one that is not in it.
     * The platform learns how many codes there are and nothing else. Interrupted, it goes on from `options.resume`.
     */
    align: (id: string, list: readonly SubjectId[], options?: AlignOptions) => alignList(steps, id, list, options),
    /** The single steps, for who does something between them. */
    steps,
  };
}

export type JointClient = ReturnType<typeof jointClient>;
