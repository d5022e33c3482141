import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { dayMs } from '../calendar.ts';
import type { Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { Sql } from '../store/database.ts';

/** Tries that are free, then a pause that doubles with every further failure up to `pauseMaxMs`. */
export type BackOff = { readonly freeTries: number; readonly pauseMs: number; readonly pauseMaxMs: number };

/** Of an address that tries codes and passwords of any account. */
export const addressBackOff: BackOff = { freeTries: 20, pauseMs: 60_000, pauseMaxMs: 3_600_000 };

const forgetAfterMs = dayMs;

/**
 * Counts a try before it is looked at, so that tries sent at once cannot slip through together.
 * @returns undefined when the try may go on, else when the next one may be made (ms since the epoch)
 */
export async function countTry(sql: Sql, clock: Clock, key: string, backOff: BackOff): Promise<number | undefined> {
  const nowMs = clock.nowMs();
  const counted = await sql.query({
    name: 'authorization-throttle-count',
    text: `insert into sign_in_throttle as t (key_hash, failures, blocked_until_ms, last_at_ms) values ($1, 1, 0, $2)
           on conflict (key_hash) do update set
             last_at_ms = $2,
             failures = case when t.last_at_ms < $2 - $3::bigint then 1 else t.failures + 1 end,
             blocked_until_ms = case
               when t.last_at_ms < $2 - $3::bigint or t.failures + 1 < $4 then 0
               else $2 + least($6::bigint, $5::bigint * (2 ^ least(t.failures + 1 - $4, 20))::bigint)
             end
           where t.blocked_until_ms <= $2`,
    values: [keyHash(key), nowMs, forgetAfterMs, backOff.freeTries, backOff.pauseMs, backOff.pauseMaxMs],
  });
  if (counted.rowCount === 1) return undefined;
  const { rows } = await sql.query<{ blocked_until_ms: number }>('select blocked_until_ms from sign_in_throttle where key_hash = $1', [keyHash(key)]);
  return rows[0]?.blocked_until_ms ?? nowMs;
}

/** Counts a try. Errors: ACCOUNT_LOCKED when it may not be made yet. */
export async function refuseWhileBlocked(sql: Sql, clock: Clock, key: string, backOff: BackOff): Promise<void> {
  const nextTryMs = await countTry(sql, clock, key, backOff);
  if (nextTryMs === undefined) return;
  const retryAfterS = Math.max(1, Math.ceil((nextTryMs - clock.nowMs()) / 1000));
  throw new VeilgateError('ACCOUNT_LOCKED', `Too many failed tries: wait ${retryAfterS} seconds and try again.`, { retryAfterS });
}

/** The try was right after all: takes its own count back, and with `forget` all earlier failures. */
export async function uncountTry(sql: Sql, key: string, forget: boolean): Promise<void> {
  if (forget) await sql.query('delete from sign_in_throttle where key_hash = $1', [keyHash(key)]);
  else await sql.query('update sign_in_throttle set failures = greatest(failures - 1, 0), blocked_until_ms = 0 where key_hash = $1', [keyHash(key)]);
}

/** An IPv6 network of 64 bits counts as one address: whoever has one address has them all. */
export function addressKey(address: string): string {
  if (!isIPv6(address)) return `address ${address}`;
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address);
  if (mapped !== null) return `address ${mapped[1]}`;
  const [head = '', tail = ''] = address.split('::', 2);
  const front = head === '' ? [] : head.split(':');
  const back = tail === '' ? [] : tail.split(':');
  const groups = [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back];
  return `address ${groups.slice(0, 4).map((group) => group.toLowerCase().replace(/^0+(?=.)/, '')).join(':')}::/64`;
}

function keyHash(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
