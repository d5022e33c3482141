import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { VeilgateError } from '../errors.ts';

const derive = promisify(argon2);

type Parameters = { readonly memoryKib: number; readonly passes: number; readonly parallelism: number };

/** OWASP's minimum for argon2id; raising it re-hashes each password at its next sign-in. */
const current: Parameters = { memoryKib: 19_456, passes: 2, parallelism: 1 };
const saltBytes = 16;
const tagBytes = 32;

export const passwordLengthMin = 12;
export const passwordLengthMax = 200;

/** Hashes that run at once, and that may wait: a flood of sign-ins must not take the machine's memory. */
const runningMax = 2;
const waitingMax = 24;

/** PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$tag`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const tag = await run(password, salt, current);
  return `$argon2id$v=19$m=${current.memoryKib},t=${current.passes},p=${current.parallelism}$${unpadded(salt)}$${unpadded(tag)}`;
}

const shape = /^\$argon2id\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,2}),p=([0-9]{1,2})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;
const nobody = { parameters: current, salt: randomBytes(saltBytes), tag: randomBytes(tagBytes) };

/**
 * Compares in constant time. With `undefined` for an account that does not exist it does the same work and
 * answers false, so that both take as long.
 * @returns `outdated` when the hash was made with weaker parameters than today's
 */
export async function verifyPassword(password: string, hash: string | undefined): Promise<{ readonly matches: boolean; readonly outdated: boolean }> {
  const { parameters, salt, tag } = hash === undefined ? nobody : parse(hash);
  const matches = timingSafeEqual(await run(password, salt, parameters), tag) && hash !== undefined;
  return { matches, outdated: parameters.memoryKib < current.memoryKib || parameters.passes < current.passes };
}

/** Refuses what is guessed first. Errors: REQUEST_INVALID. */
export function vetPassword(password: string, notEqualTo: readonly string[]): void {
  const plain = password.normalize('NFKC');
  const fault =
    [...plain].length < passwordLengthMin ? `at least ${passwordLengthMin} characters`
    : plain.length > passwordLengthMax ? `at most ${passwordLengthMax} characters`
    : new Set(plain).size < 5 ? 'at least 5 different characters'
    : notEqualTo.some((name) => plain.toLowerCase().includes(name.toLowerCase())) ? 'neither the user name nor the credit code or id beside the activation code in it'
    : undefined;
  if (fault !== undefined) throw new VeilgateError('REQUEST_INVALID', `Choose another password: it needs ${fault}.`, { field: 'password' });
}

function parse(hash: string) {
  const [, memory, passes, parallelism, salt, tag] = shape.exec(hash) ?? [];
  if (salt === undefined || tag === undefined) throw new Error('stored password hash is not a PHC string');
  return {
    parameters: { memoryKib: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

let running = 0;
const waiting: (() => void)[] = [];

async function run(password: string, salt: Buffer, { memoryKib, passes, parallelism }: Parameters): Promise<Buffer> {
  if (running >= runningMax) {
    if (waiting.length >= waitingMax) throw new VeilgateError('REQUEST_RATE_LIMITED', 'Too many people sign in right now: try again in a minute.');
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else {
    running += 1;
  }
  try {
    const message = password.slice(0, passwordLengthMax * 2).normalize('NFKC');
    return await derive('argon2id', { message, nonce: salt, parallelism, tagLength: tagBytes, memory: memoryKib, passes });
  } finally {
    // the place passes on to whoever waits longest
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
