/**
 * `npm run demo [-- --check] [joint]`: starts everything and plays the main job, sealed scoring and joint modelling; with
 * `joint` only the last. With --check it exits, non-zero if a step is not as it should be.
 */
import { consolesText, openConsoles, type Consoles } from './demo/consoles.ts';
import { playJoint, type JointScene } from './demo/joint.ts';
import { openStage, officers } from './demo/stage.ts';
import { playScoring, type ScoringScene } from './demo/scoring.ts';
import { bankId, playBeginning, playStory, representative, subject } from './demo/story.ts';
import { transcript } from './demo/transcript.ts';

const check = process.argv.includes('--check');
const jointAlone = process.argv.includes('joint');
const write = (line: string) => console.log(line);

write('Veilgate demo: PostgreSQL, authorization server, gateway and key custodian on this machine, with keys of their own.');
const play = transcript(write);
const stage = await play.act('PostgreSQL, authorization server, gateway, key custodian and a worker start', async (say) => {
  const opened = await openStage(process.env);
  say(`gateway              ${opened.gateway.gatewayUrl}`);
  say(`authorization server ${opened.gateway.issuerUrl}`);
  say(`key custodian        ${opened.custodian.url}`);
  say(`everything in        ${opened.folder}`);
  return opened;
});
let failed = false;
let scene: ScoringScene | undefined;
let joint: JointScene | undefined;
let consoles: Consoles | undefined;
try {
  if (jointAlone) await playBeginning(stage, play);
  else {
    await playStory(stage, play);
    scene = await playScoring(stage, play);
    consoles = await openConsoles(stage, play);
  }
  joint = await playJoint(stage, play);
} catch (error) {
  failed = true;
  console.error(error);
}

write('');
if (failed || play.failures.length > 0) write(`${play.failures.length + (failed ? 1 : 0)} thing(s) were not as they should be.`);
else write('Everything was as it should be.');
if (check || failed) {
  await stage.stop();
  process.exit(failed || play.failures.length > 0 ? 1 : 0);
}

const { gatewayUrl, issuerUrl } = stage.gateway;
const cli = (party: string, command: string) => `  npm run -s veilgate -- --gateway ${gatewayUrl} --credentials ${stage.credentialsFile(party)} ${command}`;
const scored = scene === undefined ? [] : [
  cli(bankId, `score one ${scene.subject} --model ${scene.model} --purpose pre_loan_review`),
  cli(bankId, `score many ${scene.list} --model ${scene.model} --purpose pre_loan_review --out ${stage.folder}/scores.csv`),
  cli(officers[1].id, 'model list'),
];
write(`
It goes on running; stop it with Ctrl-C, and it clears up behind itself.
  interface            ${gatewayUrl}/docs${jointAlone ? '' : `
  my consents          ${issuerUrl}/consents      (${representative.username} / ${representative.password})`}
  scorecard's report   ${joint?.report ?? ''}
  operational log      ${stage.folder}/gateway.log

Go on by hand, in another terminal:
${[
  cli(bankId, 'catalogue'),
  cli(bankId, `query explain ${subject} --purpose pre_loan_review --read tax.declared_revenue_cents`),
  ...scored,
  cli(bankId, 'joint project list'),
  cli(officers[1].id, `institution suspend ${bankId} --reason terms_violated`),
  cli(officers[2].id, 'audit accesses'),
].join('\n')}
  npm run -s veilgate -- audit verify --log ${gatewayUrl}/v1/log --key '${stage.gateway.logVerifierKey}'
`);
if (consoles !== undefined) {
  const shown = consoles;
  write(consolesText(shown, Date.now()));
  // who types Enter wants the one-time passwords of now; a demo without a terminal goes on without
  process.stdin.on('data', () => write(consolesText(shown, Date.now())));
}
process.once('SIGINT', () => void stage.stop().finally(() => process.exit(0)));
process.once('SIGTERM', () => void stage.stop().finally(() => process.exit(0)));
