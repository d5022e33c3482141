import { type Command } from 'commander';
import { officerClient, type PartyRegistration } from '../sdk/officer.ts';
import { connectAs } from './access.ts';
import { list, noun, show, verb } from './command.ts';
import { publicKeyIn } from './key.ts';
import { reserveFile } from './secret-file.ts';
import { pairs } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };
type NewParty = Json & { readonly nameEn: string; readonly nameZh: string; readonly key: string };

/** `veilgate enterprise`: the enterprises whose data it is. */
export function enterpriseCommand(cli: Cli): Command {
  const enterprise = noun('enterprise', 'Register enterprises (officers)');
  verb(enterprise, 'register <subject>', {
    summary: 'Register an enterprise and get the one-time activation code of its representative',
    detail: 'SUBJECT is the unified social credit code. The code is shown once: hand it to the representative in a way that proves who it is. With --key the enterprise can also sign grants itself, under the party id this prints.',
    examples: ['enterprise register 91370202MA00QJTFYT --representative 王芳', 'enterprise register 91370202MA00QJTFYT --representative 王芳 --key enterprise.json --code-out letter.txt'],
  })
    .requiredOption('--representative <name>', 'name of the person who speaks for the enterprise')
    .option('--key <file>', 'public signature key of the enterprise, as `key show` prints it')
    .option('--code-out <file>', 'write the activation code to this new file, readable by you alone, instead of printing it')
    .action(async (subject: string, options: Json & { readonly representative: string; readonly key?: string; readonly codeOut?: string }, command: Command) => {
      const key = options.key === undefined ? undefined : publicKeyIn(options.key);
      const client = officerClient(await connectAs(cli, command, ['registry']));
      const file = options.codeOut === undefined ? undefined : reserveFile(options.codeOut);
      const answer = await client.registerEnterprise(subject, options.representative, key).catch((error: unknown) => {
        file?.discard();
        throw error;
      });
      file?.write(`${answer.activation_code}\n`);
      const code = file === undefined ? { activation_code: answer.activation_code } : { activation_code_in: options.codeOut };
      show(cli, options, { party: answer.party, ...code }, () => pairs({ party: answer.party, 'activation code': file === undefined ? answer.activation_code : `in ${options.codeOut}` }));
    });
  return enterprise;
}

/** `veilgate department`: those who supply records. */
export function departmentCommand(cli: Cli): Command {
  const department = noun('department', 'Register departments (officers)');
  newPartyOptions(verb(department, 'register <id>', {
    summary: 'Register a department that supplies records',
    examples: ['department register tax_bureau --name-en "Tax Bureau" --name-zh 税务局 --key tax_bureau.keys.json'],
  })).action(async (id: string, options: NewParty, command: Command) => {
    const party = registration(id, options);
    const answer = await officerClient(await connectAs(cli, command, ['registry'])).registerDepartment(party);
    show(cli, options, answer, () => `${answer.id} is registered and may load its records.\n`);
  });
  return department;
}

/** `veilgate officer`: the platform's staff, admitted by two. */
export function officerCommand(cli: Cli): Command {
  const officer = noun('officer', 'Register and approve officers (officers)');
  newPartyOptions(verb(officer, 'register <id>', {
    summary: 'Register an officer, who can do nothing until another officer approves',
    examples: ['officer register officer-li --name-en "Li" --name-zh 李 --role compliance --key officer-li.keys.json'],
  }))
    .requiredOption('--role <roles>', 'registrar, compliance, auditor; several with commas', list)
    .action(async (id: string, options: NewParty & { readonly role: readonly string[] }, command: Command) => {
      const party = { ...registration(id, options), roles: options.role };
      const answer = await officerClient(await connectAs(cli, command, ['registry'])).registerOfficer(party);
      show(cli, options, answer, () => `${answer.id} is registered. Next: another officer approves (veilgate officer approve ${answer.id}).\n`);
    });
  verb(officer, 'approve <id>', { summary: 'Let a registered officer in; needs another person than the one who registered', examples: ['officer approve officer-li'] })
    .action(async (id: string, options: Json, command: Command) => {
      const answer = await officerClient(await connectAs(cli, command, ['registry', 'compliance'])).approveOfficer(id);
      show(cli, options, answer, () => `${answer.id} is approved.\n`);
    });
  return officer;
}

function newPartyOptions(command: Command): Command {
  return command
    .requiredOption('--name-en <name>', 'name in English')
    .requiredOption('--name-zh <name>', 'name in Chinese')
    .requiredOption('--key <file>', 'public signature key, as `key show` prints it');
}

function registration(id: string, { nameEn, nameZh, key }: NewParty): PartyRegistration {
  return { id, name: { en: nameEn, zh: nameZh }, key: publicKeyIn(key) };
}
