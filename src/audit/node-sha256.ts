import { hash } from 'node:crypto';
import type { Sha256 } from './tree.ts';

/** SHA-256 without a round trip through the event loop: verifying a long log on a server is far faster with it. */
export const nodeSha256: Sha256 = (data) => new Uint8Array(hash('sha256', data, 'buffer'));
