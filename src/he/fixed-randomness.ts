/**
 * Runs something with all of SEAL's randomness taken from `fill`, so that the same seed makes the same keys and
 * ciphertexts to the last bit. Emscripten draws its seeds from `crypto.getRandomValues`; that is replaced for the
 * duration of one synchronous call and nobody else can run meanwhile.
 * Whoever knows the seed knows the secret key: only for keys that live as long as one project's pads.
 */
export function withRandomness<Result>(fill: (bytes: Uint8Array) => void, run: () => Result): Result {
  const source = globalThis.crypto;
  Object.defineProperty(source, 'getRandomValues', {
    configurable: true,
    value: <View extends ArrayBufferView>(view: View): View => {
      fill(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
      return view;
    },
  });
  try {
    const result = run();
    if (result instanceof Promise) throw new TypeError('fixed randomness ends with the call, so it must be synchronous');
    return result;
  } finally {
    Reflect.deleteProperty(source, 'getRandomValues'); // the platform's own, on the prototype, is back
  }
}
