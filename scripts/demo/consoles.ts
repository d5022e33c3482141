import { connect } from '../../src/sdk/connection.ts';
import { accountsClient } from '../../src/sdk/accounts.ts';
import { oneTimePassword } from './one-time-password.ts';
import { takeUp } from './person.ts';
import { officers, type Stage } from './stage.ts';
import { bankId, representative, subject } from './story.ts';
import type { Transcript } from './transcript.ts';

/** Somebody who can sign in to a console, and what they need for it. */
export type ConsolePerson = { readonly role: string; readonly username: string; /** Base32; absent for who needs no second factor. */ readonly secret?: string };
export type Consoles = { readonly address: string; readonly password: string; readonly people: readonly ConsolePerson[]; readonly keyFile: string };

const [, security, auditor, models] = officers;
const invited = [
  { party: security.id, scope: 'compliance', name: '陈安评', username: 'chen.security', role: 'compliance officer' },
  { party: models.id, scope: 'compliance', name: '孙模型', username: 'sun.models', role: 'a second one, to approve' },
  { party: bankId, scope: 'query', name: '赵经理', username: 'zhao.bank', role: 'bank' },
  { party: auditor.id, scope: 'audit', name: '周审计', username: 'zhou.auditor', role: 'auditor' },
] as const;

/** People get accounts and enrol a second factor; everybody finds their console. */
export async function openConsoles(stage: Stage, { act }: Transcript): Promise<Consoles> {
  const { gatewayUrl, issuerUrl } = stage.gateway;
  const { password } = representative;
  const people = await act('Officers, the bank and the auditor let people in, each with a second factor', async (say) => {
    const found: ConsolePerson[] = [{ role: `enterprise ${subject}`, username: representative.username }];
    for (const { party, scope, name, username, role } of invited) {
      const invitation = await accountsClient(await connect({ gateway: gatewayUrl, credentials: await stage.open(party), scope })).invite(name);
      const { secret, landed } = await takeUp(invitation, { username, password });
      say.expect(`${name} (${role}) enrols an authenticator app and sees the console`, landed.status === 200 && landed.html.includes('id="console"'));
      found.push({ role, username, secret });
    }
    return found;
  });
  return { address: `${issuerUrl}/console/`, password, people, keyFile: stage.credentialsFile(bankId) };
}

/** Addresses and sign-ins, with the one-time passwords of this moment. */
export function consolesText({ address, password, people, keyFile }: Consoles, nowMs: number): string {
  const rows = people.map(({ role, username, secret }) => `  ${role.padEnd(32)} ${username.padEnd(16)} ${secret === undefined ? 'none needed' : oneTimePassword(secret, nowMs)}`);
  return `Consoles: ${address}   password of everybody: ${password}
  ${'who'.padEnd(32)} ${'user name'.padEnd(16)} one-time password (Enter shows new ones)
${rows.join('\n')}
  key file for the bank's workbench: ${keyFile}`;
}
