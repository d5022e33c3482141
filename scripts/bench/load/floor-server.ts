/**
 * The floor: what no gateway with this security profile can go below. Bare express and helmet, and the two
 * Ed25519 verifications every such request needs (DPoP proof and signed body) with jose; nothing else.
 * The access token, the same for all requests of a bank, counts as verified before.
 */
import cluster from 'node:cluster';
import express from 'express';
import helmet from 'helmet';
import { importJWK, jwtVerify } from 'jose';

const port = Number(process.argv[2]);
const workers = Number(process.argv[3] ?? 1);
const jwk = JSON.parse(process.argv[4] ?? '{}');

if (workers > 1 && cluster.isPrimary) {
  let listening = 0;
  for (let n = 0; n < workers; n++) cluster.fork();
  cluster.on('listening', () => {
    if (++listening === workers) process.send?.('ready');
  });
} else {
  const key = await importJWK(jwk, 'EdDSA');
  const app = express();
  app.use(helmet());
  app.use(express.text({ type: 'application/jwt' }));
  app.post('/v1/queries', async (request, response) => {
    await jwtVerify(request.header('dpop') ?? '', key, { typ: 'dpop+jwt' });
    const { payload } = await jwtVerify(request.body, key, { typ: 'query+jwt' });
    response.json({ subject: (payload['query'] as { subject: string }).subject });
  });
  app.listen(port, '127.0.0.1', () => process.send?.('ready'));
}
