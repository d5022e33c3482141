import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import express, { type RequestHandler, type Response, type Router } from 'express';
import helmet from 'helmet';
import { VeilgateError } from '../../errors.ts';

/** Made by `npm run build`, which `npm ci` runs. */
export const consoleFolder = path.resolve(import.meta.dirname, '../../../dist/console');

const yearSeconds = 31_536_000;

/**
 * Scripts and styles of our own origin only, none inline, nothing from elsewhere; nobody may frame the page or send its
 * forms anywhere. Style attributes set by script are no inline style to a browser.
 */
const pagePolicy = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"], scriptSrc: ["'self'"], styleSrc: ["'self'"], imgSrc: ["'self'", 'data:'], connectSrc: ["'self'"],
    baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"],
  },
});

/** The web app: one page for every path, and its files, whose names change with their content. */
export function consoleFiles(folder = consoleFolder): Router {
  const page = path.join(folder, 'index.html');
  const router = express.Router();
  router.use(pagePolicy);
  router.use('/assets', compressed(path.join(folder, 'assets')), express.static(path.join(folder, 'assets'), { index: false, redirect: false, fallthrough: true, immutable: true, maxAge: yearSeconds * 1000, setHeaders: forEver }), () => {
    throw new VeilgateError('REQUEST_NOT_FOUND', 'There is no such file: reload the page, it has a newer version.');
  });
  router.use((request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      next(new VeilgateError('REQUEST_METHOD_NOT_ALLOWED', 'Pages can be fetched only.', { allow: ['GET', 'HEAD'] }));
      return;
    }
    if (!existsSync(page)) {
      next(new VeilgateError('REQUEST_NOT_FOUND', 'The console\'s pages are not built: run `npm run build` where the gateway was installed.'));
      return;
    }
    response.setHeader('Cache-Control', 'no-cache');
    response.sendFile(page, { cacheControl: false, etag: true });
  });
  return router;
}

/** Scripts and styles in a third of their size, made when first asked for: they are the same for everybody and hold no secret. */
function compressed(folder: string): RequestHandler {
  const kept = new Map<string, Buffer>();
  return (request, response, next) => {
    const [, name, ending] = /^\/([A-Za-z0-9_-]+\.(js|css))$/.exec(request.path) ?? [];
    if (name === undefined || request.method !== 'GET' || request.acceptsEncodings('br') !== 'br') return next();
    response.setHeader('Vary', 'Accept-Encoding');
    const file = path.join(folder, name);
    if (!kept.has(name) && !existsSync(file)) return next();
    const content = kept.get(name) ?? brotliCompressSync(readFileSync(file));
    kept.set(name, content);
    forEver(response);
    response.setHeader('Content-Encoding', 'br');
    return response.type(ending ?? '').send(content);
  };
}

function forEver(response: Response): void {
  response.setHeader('Cache-Control', `public, max-age=${yearSeconds}, immutable`);
}
