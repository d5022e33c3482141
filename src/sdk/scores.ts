import { SignJWT, calculateJwkThumbprint } from 'jose';
import { canonicalJson } from '../canonical.ts';
import { openSealed } from '../disclosure/open.ts';
import { VeilgateError, isVeilgateError } from '../errors.ts';
import { parameterSets } from '../he/parameters.ts';
import type { ModelRef, OpenedScore, ScoreRequestClaims, ScoreSubjects, SealedScores } from '../scoring/protocol.ts';
import { modelFromJson, type ModelJson } from '../scoring/model/document.ts';
import { openScore, type OpenableModel } from '../scoring/model/open.ts';
import { askedSubjects, type AskedSubjects } from '../scoring/run/asked-subjects.ts';
import { combineHalves, unreadable, type UnmaskedScores } from '../scoring/run/halves.ts';
import type { FieldRef } from '../vocabulary.ts';
import { sha256Hex } from './bank.ts';
import type { SigningCalls } from './connection.ts';

/** What a bank asks: the score of one enterprise under an approved model. */
export type ScoreAsk = {
  /** Unified social credit code. */
  readonly subject: string;
  /** `name@version`. */
  readonly model: string;
  readonly purpose: string;
  /** Grant to score under; the widest valid one when absent. */
  readonly grant?: string;
};

/** A score as it travels: two halves that are nothing without each other and without the bank's key. */
export type ScoreAnswer = {
  readonly subject: string;
  readonly purpose: string;
  readonly grant: string;
  readonly policy: string;
  readonly model: string;
  readonly parameters: string;
  readonly custodian: string;
  readonly sealed: SealedScores;
  /** Fields behind the score to which the enterprise objects, and whose department has not answered yet; absent when there is none. */
  readonly disputed?: readonly string[];
  /** The log's record of this answer and the salt of its commitment: what the receipt is about. */
  readonly entry: { readonly index: number; readonly salt: string; readonly record: Readonly<Record<string, unknown>> };
  readonly receipt: string;
};

/** What was sent and what came back: all that is needed to open the score and to prove it, now or later. */
export type ScoreExchange = { readonly request: string; readonly subjects: ScoreSubjects; readonly answer: ScoreAnswer };

export type OpenedScoreAnswer = OpenedScore & { readonly exchange: ScoreExchange };

/** A signed request for scores, and the list that only the gateway gets beside it. */
export type SignedScoreRequest = { readonly request: string; readonly subjects: ScoreSubjects };

export type ScoreExplanation = {
  readonly policy: string;
  readonly model: string;
  readonly ready: boolean;
  readonly missing: readonly string[];
  readonly grant: string | null;
  readonly fields: readonly { readonly field: string; readonly disposition: string; readonly reason: string; readonly consent_needed: string | null; readonly words: { readonly en: string; readonly zh: string } }[];
  readonly data: 'complete' | 'incomplete' | null;
  readonly functionals: { readonly obtained: number; readonly added: number } | null;
  readonly grant_needed?: readonly { readonly purpose: string; readonly fields: readonly { readonly field: string; readonly ceiling: string }[] }[];
};

const oneLifetimeS = 60;

/** Scores as a bank asks for them. The same code runs in Node and in a browser. */
export function scoresClient(connection: SigningCalls) {
  const sign = (ask: ScoreAsk) => signScoreRequest(connection, {
    kind: 'one', model: ask.model, purpose: ask.purpose, lifetimeS: oneLifetimeS,
    subjects: [{ subject: ask.subject, ...(ask.grant === undefined ? {} : { grant: ask.grant }) }],
  });
  const send = async <Answer>(path: string, signed: SignedScoreRequest, accessToken?: string) =>
    connection.call<Answer>({ method: 'POST', path, json: signed, ...(accessToken === undefined ? {} : { accessToken }) });

  /** Asks; the answer stays sealed. Errors: those of the gateway. */
  const exchange = async (ask: ScoreAsk, accessToken?: string): Promise<ScoreExchange> => exchangeSigned(await sign(ask), accessToken);
  const exchangeSigned = async (signed: SignedScoreRequest, accessToken?: string): Promise<ScoreExchange> => ({ ...signed, answer: await send<ScoreAnswer>('/v1/scores', signed, accessToken) });
  const openable = async (ref: string): Promise<OpenableModel> => {
    const { model, raw_range: rawRange, reason_ranges: reasonRanges } = await connection.call<{ readonly model: ModelJson; readonly raw_range: Required<OpenableModel>['rawRange']; readonly reason_ranges: OpenableModel['reasonRanges'] }>({ method: 'GET', path: `/v1/models/${encodeURIComponent(ref)}` });
    return { model: modelFromJson(model), rawRange, reasonRanges };
  };

  return {
    exchange,
    sign,
    /** Sends what `sign` gave: once more, should the network have failed. What arrived before is refused, never answered twice. */
    exchangeSigned,
    /** The model's document, for opening scores where there is no network. */
    openable,
    /** Asks and opens. Errors: those of the gateway, SCORE_UNREADABLE. */
    async score(ask: ScoreAsk, accessToken?: string): Promise<OpenedScoreAnswer> {
      const [done, model] = await Promise.all([exchange(ask, accessToken), openable(ask.model)]);
      return { ...await openScoreAnswer(done, model, connection), exchange: done };
    },
    /** What is missing before anything is spent. */
    explain: async (ask: ScoreAsk, accessToken?: string) => send<ScoreExplanation>('/v1/scores/explain', await sign(ask), accessToken),
  };
}

export type ScoresClient = ReturnType<typeof scoresClient>;

type Own = Pick<SigningCalls, 'gateway' | 'credentials'>;

/**
 * Opens both halves with the bank's key, takes the masks off and reads band and reasons from the model. What was asked
 * decides what may be in the halves: another enterprise's, model's or request's are refused.
 * Errors: DISCLOSURE_KEY_MISSING, SCORE_UNREADABLE.
 */
export async function openScoreAnswer({ request, subjects, answer }: ScoreExchange, openable: OpenableModel, own: Own): Promise<OpenedScore> {
  const asked = readRequest(request);
  const [one] = subjects.subjects;
  if (asked === undefined || one === undefined || subjects.subjects.length !== 1 || answer.subject !== one.subject || answer.model !== asked.model) throw unreadable();
  if (await subjectsDigest(subjects) !== asked.subjects) throw unreadable();
  const unmasked = await openHalves(answer.sealed, {
    model: asked.model, openable, subjects: askedSubjects([one.subject]), custodian: answer.custodian, parameters: answer.parameters, requestDigest: await sha256Hex(request),
  }, own);
  const [opened] = openScore(openable, unmasked);
  if (opened === undefined) throw unreadable();
  return answer.disputed === undefined ? opened : { ...opened, disputed: answer.disputed as readonly FieldRef[] };
}

export type SealedExpectation = {
  readonly model: ModelRef;
  readonly openable: OpenableModel;
  /** Enterprises that were asked for. */
  readonly subjects: AskedSubjects;
  /** The custodian's id. */
  readonly custodian: string;
  readonly parameters: string;
  /** SHA-256, hex, of the signed request. */
  readonly requestDigest: string;
};

/** Opens two halves of one ticket and takes the masks off. Errors: DISCLOSURE_KEY_MISSING, SCORE_UNREADABLE. */
export async function openHalves(sealed: SealedScores, expected: SealedExpectation, { gateway, credentials }: Own): Promise<UnmaskedScores> {
  if (credentials.encryption === undefined) throw new VeilgateError('DISCLOSURE_KEY_MISSING', 'The scores are sealed for your encryption key: open them where that key is.');
  const { openable: { model } } = expected;
  const modulus = Object.hasOwn(parameterSets, expected.parameters) ? parameterSets[expected.parameters as keyof typeof parameterSets].plainModulus : undefined;
  if (modulus === undefined || model.ref !== expected.model) throw unreadable();
  const { privateKey } = credentials.encryption;
  // both say which request they answer: a half of an earlier one is none of this
  const open = (jwe: string, issuer: string) =>
    openSealed(jwe, privateKey, { issuer, audience: credentials.party, jti: expected.requestDigest }).catch((error: unknown) => {
      throw isVeilgateError(error, 'DISCLOSURE_UNREADABLE') ? unreadable() : error;
    });
  const [custodian, ofGateway] = await Promise.all([open(sealed.custodian, expected.custodian), open(sealed.gateway, gateway)]);
  return combineHalves(custodian, ofGateway, { model: expected.model, modulus, outputs: 1 + model.reasons.length, subjects: expected.subjects });
}

/** Signs a request that names enterprises by a salted digest only: it goes on to the custodian. Errors: DISCLOSURE_KEY_MISSING. */
export async function signScoreRequest({ gateway, credentials }: Own, asked: {
  readonly kind: 'one' | 'many'; readonly model: string; readonly purpose: string; readonly lifetimeS: number;
  readonly subjects: readonly { readonly subject: string; readonly grant?: string }[];
}): Promise<SignedScoreRequest> {
  const subjects = { salt: randomSalt(), subjects: asked.subjects } as ScoreSubjects;
  const request = await signScoreClaims({ gateway, credentials }, { ...asked, subjects: await subjectsDigest(subjects), count: asked.subjects.length });
  return { request, subjects };
}

/** The request itself: what goes on to the custodian. @param asked `subjects` is the digest of the list. Errors: DISCLOSURE_KEY_MISSING. */
export async function signScoreClaims({ gateway, credentials }: Own, asked: {
  readonly kind: 'one' | 'many'; readonly model: string; readonly purpose: string; readonly lifetimeS: number; readonly subjects: string; readonly count: number;
}): Promise<string> {
  if (credentials.encryption === undefined) throw new VeilgateError('DISCLOSURE_KEY_MISSING', 'Scores are sealed for your encryption key: make one and register it first.');
  const score: ScoreRequestClaims['score'] = {
    kind: asked.kind, model: asked.model as ModelRef, purpose: asked.purpose as ScoreRequestClaims['score']['purpose'],
    recipient: await calculateJwkThumbprint(credentials.encryption.publicJwk), subjects: asked.subjects, count: asked.count,
  };
  return new SignJWT({ score, jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'score+jwt', kid: credentials.signing.publicJwk.kid })
    .setIssuer(credentials.party)
    .setAudience(gateway)
    .setIssuedAt()
    .setExpirationTime(`${asked.lifetimeS}s`)
    .sign(credentials.signing.privateKey);
}

/** What a receipt calls `answer`: over the answer as it travelled, without the receipt and the log's record. */
export function scoreDigest({ entry: _entry, receipt: _receipt, ...answer }: ScoreAnswer): Promise<string> {
  return sha256Hex(canonicalJson(answer));
}

function subjectsDigest({ salt, subjects }: ScoreSubjects): Promise<string> {
  return sha256Hex(canonicalJson({ salt, subjects }));
}

/** The bank's own request again, out of what it signed. */
function readRequest(request: string): ScoreRequestClaims['score'] | undefined {
  try {
    const payload = atob((request.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'));
    const { score } = JSON.parse(payload) as Partial<ScoreRequestClaims>;
    return typeof score === 'object' && typeof score.model === 'string' && typeof score.subjects === 'string' ? score : undefined;
  } catch {
    return undefined;
  }
}

function randomSalt(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32)))).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
