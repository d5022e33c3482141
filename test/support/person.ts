import { takeUp, type Activated } from '../../scripts/demo/person.ts';
import { accountsClient } from '../../src/sdk/accounts.ts';
import { password, type TestPlatform } from './gateway.ts';

export type Person = Activated & { readonly account: string };

/** Invites a person of a party with its key, who then takes the invitation up in a browser of their own. @param scope one the party has */
export async function signedInPerson(platform: TestPlatform, party: string, scope: string, username: string, name = '王芳'): Promise<Person> {
  const invitation = await accountsClient(await platform.connect(party, scope)).invite(name);
  return { ...await takeUp(invitation, { username, password }), account: invitation.account };
}
