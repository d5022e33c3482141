#!/usr/bin/env node
/** `npm start`: a gateway from configuration (docs/configuration.md). The only place here that reads the environment. */
import cluster from 'node:cluster';
import { systemClock } from '../clock.ts';
import { freePorts } from '../store/cluster.ts';
import { configHelp } from './config-page.ts';
import { readConfig } from './config.ts';
import { findCustodian } from './custodian-address.ts';
import { startGateway, type RunningGateway } from './gateway.ts';
import { custodianHandedDown, databaseHandedDown } from './handed-down.ts';
import { clusterMetricsText, serveMetrics } from './metrics.ts';
import { startNode } from './node.ts';
import { openProgramLog, runProgram } from './program.ts';
import type { CustodianAddress } from './scoring.ts';
import { runProcesses } from './server-processes.ts';
import { startWorkerChild } from './worker/child.ts';

await runProgram(process.argv, configHelp, async () => {
  if (cluster.isPrimary) await settlePorts();
  await run();
});

/** Port 0 means a free one; all processes of this node must agree on it, and so must tokens and receipts. */
async function settlePorts(): Promise<void> {
  const config = readConfig(process.env);
  const [port, issuerPort] = await freePorts(2);
  if (config.port === 0) process.env['VEILGATE_PORT'] = String(port);
  if (config.issuerUrl === undefined && config.issuerPort === 0) process.env['VEILGATE_ISSUER_PORT'] = String(issuerPort);
}

async function run(): Promise<void> {
  const config = readConfig(process.env);
  const { log, exit } = openProgramLog(config);
  let gateway: RunningGateway | undefined;
  await runProcesses({
    workers: config.workers,
    log,
    exit,
    async primary() {
      const node = await startNode(config, log, systemClock);
      process.env[databaseHandedDown] = node.databaseUrl;
      const custodian = await findCustodian(config, node.databaseUrl, log, systemClock);
      if (custodian !== undefined) process.env[custodianHandedDown] = JSON.stringify(custodian.address);
      const metrics = config.metricsPort === undefined ? undefined : await serveMetrics({
        host: config.metricsHost, port: config.metricsPort,
        ...(config.metricsToken === undefined ? {} : { token: config.metricsToken }),
        text: config.workers > 1 ? clusterMetricsText() : async () => (await gateway?.metrics.text()) ?? '',
      });
      const worker = config.scoreTasks === 0 ? undefined : startWorkerChild(process.env, log);
      return {
        reload: () => worker?.reload(),
        async stop() {
          await metrics?.stop();
          await worker?.stop();
          await custodian?.stop();
          await node.stop();
        },
      };
    },
    async worker() {
      const custodian = process.env[custodianHandedDown];
      gateway = await startGateway(config, process.env[databaseHandedDown] ?? '', log, systemClock, custodian === undefined ? undefined : JSON.parse(custodian) as CustodianAddress);
      log.write('gateway.started', {
        port: Number(new URL(gateway.gatewayUrl).port || config.port), workers: config.workers, tls: config.tlsCertFile !== undefined,
        issuer: config.issuerUrl === undefined ? 'embedded' : 'external', database: config.databaseUrl === undefined ? 'embedded' : 'external',
      });
      return gateway;
    },
  });
}
