/**
 * What OpenSSL does not check when a Curve25519 key is imported: that the bytes are the one canonical encoding,
 * that they are a point of the curve, and that the point does not lie in the small subgroup, for which anybody
 * can make signatures that verify and agreements that are known in advance.
 * Slow big-integer arithmetic (below a millisecond): for registration and first use, not for every request.
 */

export type PointFault = 'not_canonical' | 'not_on_curve' | 'low_order';

const p = 2n ** 255n - 19n;
/** Edwards25519's d = -121665/121666, RFC 8032 section 5.1. */
const d = mod(-121665n * inverse(121666n));
/** Curve25519's A, RFC 7748 section 4.1. */
const montgomeryA = 486662n;

/** @param bytes 32 bytes of an Ed25519 public key (RFC 8032 section 5.1.2) */
export function ed25519PointFault(bytes: Uint8Array): PointFault | undefined {
  const encoded = littleEndian(bytes);
  const xIsOdd = encoded >> 255n;
  const y = encoded & (2n ** 255n - 1n);
  if (y >= p) return 'not_canonical';
  const y2 = mod(y * y);
  const numerator = mod(y2 - 1n);
  const denominator = mod(d * y2 + 1n);
  // x = 0 has no odd twin
  if (numerator === 0n && xIsOdd === 1n) return 'not_canonical';
  if (!isSquare(mod(numerator * denominator))) return 'not_on_curve';
  // order 1 and 2: y = ±1; order 4: y = 0; order 8: doubling gives y = 0, that is x² = -y², put into the curve's equation
  const lowOrder = y === 1n || y === p - 1n || y === 0n || mod(d * y2 * y2 + 2n * y2 - 1n) === 0n;
  return lowOrder ? 'low_order' : undefined;
}

/** @param bytes 32 bytes of an X25519 public key (RFC 7748 section 5); points of the twist are as good as others */
export function x25519PointFault(bytes: Uint8Array): PointFault | undefined {
  const u = littleEndian(bytes);
  if (u >= p) return 'not_canonical';
  // doubling: u' = (u² - 1)² / 4u(u² + Au + 1). Order 2: u = 0; order 4: u = ±1; order 8: u' = ±1
  const u2 = mod(u * u);
  const top = mod((u2 - 1n) * (u2 - 1n));
  const bottom = mod(4n * u * (u2 + montgomeryA * u + 1n));
  const lowOrder = u === 0n || u === 1n || u === p - 1n || top === bottom || mod(top + bottom) === 0n;
  return lowOrder ? 'low_order' : undefined;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

function mod(n: bigint): bigint {
  const rest = n % p;
  return rest < 0n ? rest + p : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = mod(base), rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

function inverse(n: bigint): bigint {
  return power(n, p - 2n);
}

/** Euler's criterion; 0 counts as a square. */
function isSquare(n: bigint): boolean {
  return n === 0n || power(n, (p - 1n) / 2n) === 1n;
}
