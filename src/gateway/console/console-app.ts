import express, { type Router } from 'express';
import { createGatewayApp, type GatewayAppOptions } from '../app.ts';
import type { Services } from '../resources/services.ts';
import { consoleFiles } from './console-files.ts';
import { consoleRoutes } from './console-routes.ts';
import { readSessionProof, type Sessions } from './session-proof.ts';
import { sessionRoutes } from './session-routes.ts';

export type ConsoleOptions = {
  readonly services: Services;
  readonly sessions: Sessions;
  /** The gateway's own interface: the console answers those of its routes that pages call, to people in place of programs. */
  readonly gateway: GatewayAppOptions;
};

/**
 * Backend for frontend: the pages, who is signed in, and what pages call of the gateway's routes, for a browser's session. No token and no
 * session id is ever in the hands of a script. Mount it at /console of the authorization server, whose cookie it reads.
 */
export function createConsole({ services, sessions, gateway }: ConsoleOptions): Router {
  const router = express.Router();
  router.use('/api', createGatewayApp({
    ...gateway,
    publicUrl: `${services.issuerUrl}/console/api`,
    readProof: readSessionProof(sessions, services.issuerUrl),
    routes: [...consoleRoutes(gateway.routes), ...sessionRoutes(services, sessions)],
  }));
  router.use(consoleFiles());
  return router;
}
