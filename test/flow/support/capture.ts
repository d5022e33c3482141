/** Everything servers answered while it listened: status, headers and body of each response, by origin. */
export type Capture = {
  /** All bytes that came from this origin. */
  readonly from: (origin: string) => Promise<Buffer>;
  readonly stop: () => void;
};

/** Listens to every `fetch` of this process: the SDK, the form browser and the wire all use it. */
export function captureResponses(): Capture {
  const original = globalThis.fetch;
  const captured: { readonly origin: string; readonly bytes: Promise<Buffer> }[] = [];
  globalThis.fetch = async (input, init) => {
    const response = await original(input, init);
    const { origin } = new URL(input instanceof Request ? input.url : input);
    const copy = response.clone();
    const head = `${response.status} ${response.statusText}\n${[...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n')}\n\n`;
    captured.push({ origin, bytes: copy.arrayBuffer().then((body) => Buffer.concat([Buffer.from(head), Buffer.from(body), Buffer.from('\n')])) });
    return response;
  };
  return {
    from: async (origin) => Buffer.concat(await Promise.all(captured.filter((response) => response.origin === new URL(origin).origin).map(({ bytes }) => bytes))),
    stop() {
      globalThis.fetch = original;
    },
  };
}
