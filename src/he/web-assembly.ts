/** The little of WebAssembly that is used here, typed for browsers and Node alike: the types of Node do not have it. */
export type CompiledModule = object;
export type Imports = object;
export type Instance = { readonly exports: Readonly<Record<string, unknown>> };

type Interface = {
  readonly compile: (bytes: Uint8Array) => Promise<CompiledModule>;
  readonly Instance: new (module: CompiledModule, imports: Imports) => Instance;
  readonly Memory: abstract new () => { readonly buffer: ArrayBuffer };
};

// through unknown, because the one program's globals have a type for it and the other's have none
export const webAssembly: Interface = (globalThis as unknown as { readonly WebAssembly: Interface }).WebAssembly;
