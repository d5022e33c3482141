import { isIPv6 } from 'node:net';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { VeilgateError } from '../errors.ts';
import type { PartyId } from '../vocabulary.ts';

/**
 * What keeps one caller from taking the gateway away from the others. Counted in this process's memory, because
 * a count in the database would cost every request a round trip: `n` processes let through up to `n` times as much.
 * What must be exact (daily quotas, uses of a grant, verification attempts) is counted in the database instead.
 */
export type Limits = {
  /** Takes a place among the requests under way. Errors: REQUEST_OVERLOADED. */
  readonly enter: () => void;
  readonly leave: () => void;
  readonly inFlight: () => number;
  /** Counts a request that no party answers for. Errors: REQUEST_RATE_LIMITED. */
  readonly anonymous: (address: string) => Promise<void>;
  /** False when no credentials were refused lately: then `mayTry` need not be asked. */
  readonly watchful: () => boolean;
  /** Refuses an address whose credentials were refused too often, before any signature is checked. Errors: REQUEST_RATE_LIMITED. */
  readonly mayTry: (address: string) => Promise<void>;
  /** Counts refused credentials. */
  readonly refused: (address: string) => Promise<void>;
  /**
   * Counts a request of a known party.
   * @param perSecond the party's own limit; the general one when absent
   * Errors: REQUEST_RATE_LIMITED.
   */
  readonly party: (party: PartyId, perSecond?: number) => Promise<void>;
};

export type LimitsOptions = {
  readonly requestsInFlight: number;
  readonly partyRequestsPerSecond: number;
  readonly addressRequestsPerSecond: number;
  /** Seconds over which requests are counted, from the first one on; 1 when absent. */
  readonly windowSeconds?: number;
};

/** More different limits than any platform gives its institutions; beyond, the nearest general one holds. */
const differentLimitsMax = 64;

export function createLimits(options: LimitsOptions): Limits {
  const windowSeconds = options.windowSeconds ?? 1;
  const pointsOf = (perSecond: number) => Math.max(1, Math.round(perSecond * windowSeconds));
  const limiter = (keyPrefix: string, perSecond: number) => new RateLimiterMemory({ keyPrefix, points: pointsOf(perSecond), duration: windowSeconds });
  const anonymous = limiter('anonymous', options.addressRequestsPerSecond);
  const refused = limiter('refused', options.addressRequestsPerSecond);
  const general = limiter('party', options.partyRequestsPerSecond);
  const particular = new Map<number, RateLimiterMemory>();
  let inFlight = 0;
  let lastRefusedMs = Number.NEGATIVE_INFINITY;

  const partyLimiter = (perSecond: number | undefined) => {
    if (perSecond === undefined) return general;
    const known = particular.get(perSecond);
    if (known !== undefined) return known;
    if (particular.size >= differentLimitsMax) return general;
    const fresh = limiter('party', perSecond);
    particular.set(perSecond, fresh);
    return fresh;
  };

  return {
    enter() {
      if (inFlight >= options.requestsInFlight) throw new VeilgateError('REQUEST_OVERLOADED', 'The gateway is working on as many requests as it can: try again in a second.');
      inFlight += 1;
    },
    leave() {
      inFlight -= 1;
    },
    inFlight: () => inFlight,
    anonymous: (address) => consume(anonymous, networkOf(address), 'this address'),
    watchful: () => performance.now() - lastRefusedMs <= windowSeconds * 1000,
    async mayTry(address) {
      const state = await refused.get(networkOf(address));
      if (state !== null && state.msBeforeNext > 0 && state.consumedPoints >= pointsOf(options.addressRequestsPerSecond)) throw rateLimited('this address', state.msBeforeNext);
    },
    async refused(address) {
      lastRefusedMs = performance.now();
      await refused.penalty(networkOf(address));
    },
    party: (party, perSecond) => consume(partyLimiter(perSecond), party, 'this party'),
  };
}

async function consume(limiter: RateLimiterMemory, key: string, who: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refusal) {
    throw refusal instanceof RateLimiterRes ? rateLimited(who, refusal.msBeforeNext) : refusal;
  }
}

function rateLimited(who: string, msBeforeNext: number): VeilgateError {
  const retryAfterSeconds = Math.max(1, Math.ceil(msBeforeNext / 1000));
  return new VeilgateError('REQUEST_RATE_LIMITED', `Too many requests from ${who}: try again in ${retryAfterSeconds} s.`, { retryAfterSeconds });
}

/** An IPv6 caller has a /64 to itself and is counted as one; IPv4 in IPv6 counts as IPv4. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.toLowerCase().split('%')[0]?.split('::') ?? [];
  const left = head.split(':').filter((part) => part !== '');
  const right = (tail ?? '').split(':').filter((part) => part !== '');
  const groups = tail === undefined ? left : [...left, ...Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0'), ...right];
  return `${groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`;
}
