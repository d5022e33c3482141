import type { Command } from 'commander';
import { accountsClient } from '../sdk/accounts.ts';
import { anyScope, connectAs } from './access.ts';
import { noun, show, verb } from './command.ts';
import { reserveFile } from './secret-file.ts';
import { pairs, table } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };

/** `veilgate account`: the people who sign in to the consoles for a party. */
export function accountCommand(cli: Cli): Command {
  const account = noun('account', 'Invite, list and remove your people who sign in to the consoles');
  const client = async (command: Command) => accountsClient(await connectAs(cli, command, anyScope));

  verb(account, 'invite <name>', {
    summary: 'Invite one of your people and get the one-time activation code',
    detail: 'The code is shown once. With it the person chooses a user name, a password and a second factor at the page this prints. For an officer, who has one account, it replaces what was lost.',
    examples: ['account invite 王芳', 'account invite "Wang Fang" --code-out letter.txt'],
  })
    .option('--code-out <file>', 'write the activation code to this new file, readable by you alone, instead of printing it')
    .action(async (name: string, options: Json & { readonly codeOut?: string }, command: Command) => {
      const accounts = await client(command);
      const file = options.codeOut === undefined ? undefined : reserveFile(options.codeOut);
      const { activation_code: code, ...invited } = await accounts.invite(name).catch((error: unknown) => {
        file?.discard();
        throw error;
      });
      file?.write(`${code}\n`);
      show(cli, options, { ...invited, ...(file === undefined ? { activation_code: code } : { activation_code_in: options.codeOut }) },
        () => pairs({ account: invited.account, page: invited.page, until: invited.ends_at.slice(0, 10), 'activation code': file === undefined ? code : `in ${options.codeOut}` }));
    });
  verb(account, 'list', { summary: 'List your accounts and open invitations', examples: ['account list'] })
    .action(async (options: Json, command: Command) => {
      const accounts = await (await client(command)).list();
      show(cli, options, { accounts }, () => table(['account', 'name', 'user name', 'second factor', 'last used', 'invited until'],
        accounts.map((one) => [one.account, one.name ?? '', one.username ?? '', one.second_factors.join(', '), one.last_used_at?.slice(0, 10) ?? 'never', one.invited_until?.slice(0, 10) ?? ''])));
    });
  verb(account, 'remove <account>', { summary: 'Remove an account or invitation; the person is signed out everywhere at once', examples: ['account remove u4mIq2nQ7m4cV0o0x3yq2A'] })
    .action(async (id: string, options: Json, command: Command) => {
      await (await client(command)).remove(id);
      show(cli, options, { removed: id }, () => `${id} is removed.\n`);
    });
  return account;
}
