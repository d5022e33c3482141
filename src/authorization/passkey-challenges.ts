import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Sql } from '../store/database.ts';

/** What a passkey is asked to sign for. */
export type PasskeyUse = 'add' | 'sign-in';

/**
 * Challenges for passkeys. One is good for one browser, one use and five minutes, and is answered once. It carries its end
 * and a signature of ours, so that pages nobody answers leave nothing in the database.
 */
export type PasskeyChallenges = {
  /** base64url */
  readonly make: (use: PasskeyUse, browserId: string) => string;
  readonly isOurs: (challenge: string, use: PasskeyUse, browserId: string) => boolean;
  /** False when it was answered before. */
  readonly answer: (sql: Sql, challenge: string) => Promise<boolean>;
};

const lifetimeMs = 300_000;
const endLength = 8;
const randomLength = 16;
const length = endLength + randomLength + 32;

/** @param secrets the cookie keys: the first signs, all verify */
export function passkeyChallenges(clock: Clock, secrets: readonly string[]): PasskeyChallenges {
  const keys = secrets.map((secret) => Buffer.from(hkdfSync('sha256', secret, '', 'veilgate passkey challenge', 32)));
  const tag = (key: Buffer, head: Buffer, use: PasskeyUse, browserId: string) => createHmac('sha256', key).update(head).update(`${use}\n${browserId}`).digest();
  return {
    make(use, browserId) {
      const head = Buffer.concat([Buffer.alloc(endLength), randomBytes(randomLength)]);
      head.writeBigUInt64BE(BigInt(clock.nowMs() + lifetimeMs));
      return Buffer.concat([head, tag(keys[0] ?? Buffer.alloc(32), head, use, browserId)]).toString('base64url');
    },
    isOurs(challenge, use, browserId) {
      const bytes = Buffer.from(challenge, 'base64url');
      if (bytes.length !== length || bytes.toString('base64url') !== challenge || endOf(bytes) <= clock.nowMs()) return false;
      const head = bytes.subarray(0, endLength + randomLength);
      return keys.some((key) => timingSafeEqual(tag(key, head, use, browserId), bytes.subarray(head.length)));
    },
    async answer(sql, challenge) {
      const { rowCount } = await sql.query(
        'insert into passkey_answered (challenge_hash, expires_at_ms) values ($1, $2) on conflict do nothing',
        [createHash('sha256').update(challenge).digest(), endOf(Buffer.from(challenge, 'base64url'))],
      );
      return rowCount === 1;
    },
  };
}

function endOf(challenge: Buffer): number {
  return Number(challenge.readBigUInt64BE(0));
}
