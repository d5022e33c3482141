import { callWith, type Connection, type GatewayRequest } from '../../../src/sdk/connection.ts';

/** The same connection, with the bytes of all bodies either way; headers and requests repeated for a nonce are not among them. */
export function counting({ send }: Pick<Connection, 'send'>): Pick<Connection, 'call' | 'send'> & { readonly up: () => number; readonly down: () => number } {
  let [up, down] = [0, 0];
  const counted = async (request: GatewayRequest): Promise<Response> => {
    up += sentBytes(request);
    const response = await send(request);
    const body = await response.arrayBuffer();
    down += body.byteLength;
    return new Response(response.status === 204 ? null : body, response);
  };
  return { call: callWith(counted), send: counted, up: () => up, down: () => down };
}

function sentBytes({ json, body }: GatewayRequest): number {
  if (json !== undefined) return Buffer.byteLength(JSON.stringify(json));
  const content = body?.content ?? '';
  if (content instanceof ReadableStream) throw new TypeError('what is sent as a stream is not counted here');
  return Buffer.byteLength(content);
}
