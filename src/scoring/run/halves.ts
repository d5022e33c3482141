import { VeilgateError } from '../../errors.ts';
import type { FieldRef, SubjectId } from '../../vocabulary.ts';
import { usccLength } from '../../uscc.ts';
import type { CustodianHalf, DisputedFields, GatewayHalf, ModelRef } from '../protocol.ts';
import { unpackWords, wordsIn } from '../words.ts';
import type { AskedSubjects } from './asked-subjects.ts';

/** What a bank knows before it opens anything; halves that say otherwise belong to somebody else's request. */
export type HalvesExpectation = {
  readonly model: ModelRef;
  /** The plain modulus t of the parameter set. */
  readonly modulus: number;
  /** Outputs for each enterprise: the score and one for each reason group. */
  readonly outputs: number;
  /** Enterprises that were asked for: the halves may hold some of them, each once, and no other. */
  readonly subjects: AskedSubjects;
};

/** Raw values mod t, not yet centred: `values[output][place]` belongs to `subjects[place]`. */
export type UnmaskedScores = {
  readonly modulus: number;
  readonly subjects: readonly SubjectId[];
  readonly values: readonly Uint32Array[];
  /** Fields behind the scores that enterprises dispute; whoever is not in it disputes none. */
  readonly disputed: ReadonlyMap<SubjectId, readonly FieldRef[]>;
};

/** Slots of a ticket at most: more than any parameter set has. */
const slotsMax = 65_536;

/**
 * Takes the gateway's masks off the custodian's values. Both halves come from their JWEs and are believed in nothing:
 * one ticket, the model and modulus asked for, exact lengths, known enterprises, each place once.
 * Errors: SCORE_UNREADABLE, the same for every fault.
 */
export function combineHalves(custodian: unknown, gateway: unknown, expected: HalvesExpectation): UnmaskedScores {
  const masked = readCustodianHalf(custodian, expected);
  const { places, subjects, masks, disputed } = readGatewayHalf(gateway, masked.ticket, masked.places, expected);
  const values = masks.map((mask, output) => unmasked(masked.values[output] as Uint32Array, mask, places, expected.modulus));
  return { modulus: expected.modulus, subjects, values, disputed };
}

function unmasked(values: Uint32Array, masks: Uint32Array, places: Uint32Array, modulus: number): Uint32Array {
  const result = new Uint32Array(places.length);
  for (let at = 0; at < places.length; at += 1) {
    const difference = values[places[at]!]! - masks[at]!;
    result[at] = difference < 0 ? difference + modulus : difference;
  }
  return result;
}

function readCustodianHalf(half: unknown, { outputs, modulus }: HalvesExpectation): { readonly ticket: string; readonly places: number; readonly values: readonly Uint32Array[] } {
  const { v, ticket, masked, ...others } = asObject(half) as Partial<CustodianHalf>;
  if (v !== 2 || typeof ticket !== 'string' || !Array.isArray(masked) || masked.length !== outputs || Object.keys(others).length > 0) throw unreadable();
  const first: unknown = masked[0];
  const places = typeof first === 'string' ? wordsIn(first, modulus) : 0;
  if (places < 1 || places > slotsMax) throw unreadable();
  return { ticket, places, values: masked.map((text) => unpackWords(text, places, modulus) ?? fail()) };
}

type Unmasking = { readonly places: Uint32Array; readonly subjects: readonly SubjectId[]; readonly masks: readonly Uint32Array[]; readonly disputed: UnmaskedScores['disputed'] };

function readGatewayHalf(half: unknown, ticketOfCustodian: string, placesOfTicket: number, expected: HalvesExpectation): Unmasking {
  const { v, ticket, model, modulus, places, subjects, masks, disputed, ...others } = asObject(half) as Partial<GatewayHalf>;
  if (v !== 2 || ticket !== ticketOfCustodian || model !== expected.model || modulus !== expected.modulus || Object.keys(others).length > 0) throw unreadable();
  if (typeof subjects !== 'string' || !Array.isArray(masks) || masks.length !== expected.outputs) throw unreadable();
  const count = subjects.length / usccLength;
  if (!Number.isInteger(count) || count < 1 || count > placesOfTicket) throw unreadable();
  const words = unpackWords(places, count, expected.modulus) ?? fail();
  if (words.some((place) => place >= placesOfTicket)) throw unreadable();
  const asked = expected.subjects.findAll(subjects) ?? fail();
  if (!areDistinct(words) || !areDistinct(asked)) throw unreadable();
  const named = Array.from(asked, expected.subjects.subject);
  return { places: words, subjects: named, masks: masks.map((text) => unpackWords(text, count, expected.modulus) ?? fail()), disputed: readDisputed(disputed, named) };
}

/** Each enterprise once, in the order of the half, with some fields of the catalogue; not there at all when there is none. */
function readDisputed(disputed: unknown, subjects: readonly SubjectId[]): UnmaskedScores['disputed'] {
  const found = new Map<SubjectId, readonly FieldRef[]>();
  if (disputed === undefined) return found;
  if (!Array.isArray(disputed) || disputed.length === 0) throw unreadable();
  let last = -1;
  for (const each of disputed as readonly unknown[]) {
    const { at, fields, ...others } = asObject(each) as Partial<DisputedFields>;
    const subject = subjects[at ?? -1];
    if (subject === undefined || (at as number) <= last || Object.keys(others).length > 0) throw unreadable();
    if (!Array.isArray(fields) || fields.length === 0 || !fields.every((field) => typeof field === 'string' && fieldShape.test(field))) throw unreadable();
    found.set(subject, fields);
    last = at as number;
  }
  return found;
}

/** `dataset.field`, as catalogues name fields. */
const fieldShape = /^[a-z][a-z0-9_]{0,40}\.[a-z][a-z0-9_]{0,40}$/;

/** Gateways give places in order: then one look at each is enough. */
function areDistinct(words: Uint32Array): boolean {
  for (let at = 1; at < words.length; at += 1) if (words[at]! <= words[at - 1]!) return new Set(words).size === words.length;
  return true;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unreadable();
  return value as Readonly<Record<string, unknown>>;
}

function fail(): never {
  throw unreadable();
}

/** One sentence for every fault of sealed scores, so that nobody learns from errors what a key opens. */
export function unreadable(): VeilgateError {
  return new VeilgateError('SCORE_UNREADABLE', 'The sealed scores cannot be opened: check that both halves are complete, from this platform, for this request and sealed for this key; else report the receipt.');
}
