import { createCipheriv, createHash } from 'node:crypto';

/** The same random bytes in every run: a statistical test that could fail by bad luck would be ignored when it is right. */
export function keystream(seed: string): (bytes: Uint8Array) => void {
  const cipher = createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), Buffer.alloc(16));
  return (bytes) => bytes.set(cipher.update(Buffer.alloc(bytes.length)));
}
