import { isoTime } from '../../clock.ts';
import type { VersionHead } from '../../policy/store/registry.ts';
import { packFileLengthMax, packFileName, packFilesMax } from '../../policy/store/pack.ts';
import type { Withhold } from '../../policy/store/withholds.ts';
import type { JsonObject } from '../route.ts';
import { named, type JsonSchema } from '../schema/compile.ts';
import { integer, list, map, nullable, object, oneOf, plainText } from '../schema/words.ts';

/** The forms in which versions of the policy, reviews and withholds are sent. */

const word: JsonSchema = { type: 'string' };
const words = object({ en: word, zh: word });
const risk = oneOf(['loosened', 'mixed', 'altered', 'tightened']);
const problem = { file: word, line: { type: 'integer' }, column: { type: 'integer' }, pointer: word, problem: word };
const fileName = { type: 'string', maxLength: 80, pattern: packFileName, description: '`purposes.yaml`, `rules/<dataset>.yaml` or `tests/<name>.yaml`.' } as const;
const fileText = { type: 'string', maxLength: packFileLengthMax } as const;

export const versionNumber = integer(1, 2_000_000_000);
export const versionState = oneOf(['proposed', 'approved', 'in_force', 'superseded', 'refused', 'withdrawn']);
export const packForm = map(fileName, fileText, packFilesMax, 'Files by name.');
export const changesForm = map(fileName, nullable(fileText), packFilesMax, 'Files to put; null removes one.');
/** People's own words: shown as they are, never markup. */
export const commentForm = plainText(2000, 'Why, in your own words. Shown to whoever decides; only the codes beside it go to the log.');
export const effectiveForm = { ...named('Time'), description: 'From when on it is to be in force; absent: as soon as it is approved.' };

export const versionForm = object({
  version: versionNumber, digest: named('Digest'), policy: named('PolicyVersion'), basis: nullable(versionNumber), origin: oneOf(['pack', 'proposal', 'rollback', 'withhold']), state: versionState,
  proposed_by: nullable(named('PartyId')), proposed_at: named('Time'), comment: word, effective_at: nullable(named('Time')),
  decided_by: nullable(named('PartyId')), decided_at: nullable(named('Time')), decision_comment: nullable(word), in_force_at: nullable(named('Time')), superseded_at: nullable(named('Time')),
});
export const versionWithFiles = object({ version: versionForm, files: packForm });

/** One group of cells that change in the same way. */
export const changeForm = object({
  risk, words, use: named('Use'), fields: { type: 'array', items: named('FieldRef') }, purposes: { type: 'array', items: word }, institution_classes: { type: 'array', items: word }, consent: { type: 'array', items: named('Ceiling') },
});
/** A change of a purpose, a class, a fact or a classification. */
export const settingForm = object({ risk, words, path: { type: 'array', items: word } });
export const reviewForm = object({
  version: versionForm, against: versionNumber, basis_in_force: { type: 'boolean', description: 'False: another version is in force than the one this changes; it cannot be approved.' },
  files: { type: 'array', items: object({ file: word, change: oneOf(['added', 'changed', 'removed']) }) },
  summary: words, combinations: { type: 'integer' }, combinations_changed: { type: 'integer' },
  changes: { type: 'array', items: changeForm, description: 'Every combination of field, purpose, class, consent and use that differs, grouped.' },
  settings: { type: 'array', items: settingForm },
  tests: object({ run: { type: 'integer' }, failures: { type: 'array', items: object({ test: word, ...problem }) }, uncovered_rules: { type: 'array', items: word } }),
  marks: { type: 'array', items: oneOf(['loosens', 'mixed', 'opens_personal', 'opens_level_4', 'widens_settings', 'changes_tests', 'removes_tests', 'rules_without_test', 'tests_fail']), description: 'What to look at first.' },
  exemptions: { type: 'array', items: object({ rule: word, description: words, ends: named('Date'), over: { type: 'boolean' } }), description: 'Rules that open something until a day.' },
});

const counts = { more: { type: 'integer' }, less: { type: 'integer' }, otherwise: { type: 'integer' }, unknown: { type: 'integer', description: 'It hangs on facts the caller stated, which are not kept beside the decision.' } };
export const replayForm = object({
  queries: { type: 'integer' }, same: { type: 'integer' }, ...counts, skipped: { type: 'integer', description: 'Record erased, or grant or institution gone.' },
  unlike_record: { type: 'integer', description: 'Worked out from facts as they are now it comes out otherwise than it was recorded.' },
  from: nullable(named('Time')), until: nullable(named('Time')),
  institutions: { type: 'array', items: object({ institution: named('PartyId'), ...counts }) },
  fields: { type: 'array', items: object({ field: named('FieldRef'), use: named('Use'), ...counts }) },
});

export const withholdId = { type: 'string', pattern: '^[0-9a-f]{16}$', maxLength: 16 } as const;
export const withholdForm = object({
  withhold: withholdId, field: named('FieldRef'), purpose: named('PurposeCode'), reason: word, set_by: named('PartyId'), set_at: named('Time'),
  expires_at: { ...named('Time'), description: 'When it becomes a proposal; it holds until that is decided.' },
  proposal: nullable(versionNumber), ended_at: nullable(named('Time')), ended_by: nullable(named('PartyId')), ending: nullable(oneOf(['lifted', 'lasting', 'refused'])),
});
export const withholdsForm = object({ withholds: list(withholdForm, 200) });

const time = (ms: number | null) => (ms === null ? null : isoTime(ms as VersionHead['proposedMs']));

export function versionJson(version: VersionHead): JsonObject {
  return {
    version: version.number, digest: version.digest, policy: version.policy, basis: version.basis, origin: version.origin, state: version.state,
    proposed_by: version.proposedBy, proposed_at: time(version.proposedMs), comment: version.comment, effective_at: time(version.effectiveMs),
    decided_by: version.decidedBy, decided_at: time(version.decidedMs), decision_comment: version.decisionComment, in_force_at: time(version.inForceMs), superseded_at: time(version.supersededMs),
  };
}

export function withholdJson({ id, field, purpose, reason, setBy, setMs, expiresMs, proposal, endedMs, endedBy, ending }: Withhold): JsonObject {
  return { withhold: id, field, purpose, reason, set_by: setBy, set_at: time(setMs), expires_at: time(expiresMs), proposal, ended_at: time(endedMs), ended_by: endedBy, ending };
}
