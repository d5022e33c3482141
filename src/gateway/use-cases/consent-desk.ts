import { hash } from 'node:crypto';
import type { ConsentDescription, ConsentDesk, FieldDescription, Language, Representative } from '../../authorization/consent-desk.ts';
import type { Clock } from '../../clock.ts';
import { checkCaps } from '../../consent/caps.ts';
import { changeGrant, createGrant, listGrants, readGrant, type GrantAction } from '../../consent/grants.ts';
import { completeTerms } from '../../consent/terms.ts';
import { VeilgateError } from '../../errors.ts';
import { readInstitution, type InstitutionView } from '../../identity/registry/institution-view.ts';
import { gatherFacts, type Facts } from '../../policy/facts.ts';
import type { CompiledPolicy } from '../../policy/policy.ts';
import { openingWords } from '../../policy/words.ts';
import type { Database, Sql } from '../../store/database.ts';
import type { Catalogue, Classification, ConsentCeiling, FieldDecision, FieldRef, GrantId, GrantTerms, InstitutionClass, PurposeCaps, SubjectId } from '../../vocabulary.ts';
import type { ConsentReceipts } from './consent-receipts.ts';
import { recordGrantChange } from './record-change.ts';

export type ConsentDeskParts = {
  readonly database: Database;
  readonly clock: Clock;
  readonly catalogue: Catalogue;
  readonly policy: () => CompiledPolicy;
  readonly receipts: ConsentReceipts;
};

/** What the authorization server's pages ask: consent, policy and registry behind one counter. */
export function createConsentDesk(parts: ConsentDeskParts): ConsentDesk {
  const { database, clock } = parts;
  const change = async (subject: SubjectId, grant: GrantId, action: GrantAction) => {
    await database.transaction(`grant ${action}`, async (tx) => {
      await recordGrantChange(tx, await changeGrant(tx, { grant, actor: { subject }, action }, clock), null);
    });
  };
  return {
    complete: (terms) => completeTerms(terms, parts.policy().caps(terms.purpose), clock.nowMs()),
    validate: (terms) => validateTerms(parts, completeTerms(terms, parts.policy().caps(terms.purpose), clock.nowMs())),
    describe: (terms, language) => describeTerms(parts, terms, language),
    async grant({ terms, representative, noticeText }) {
      await validateTerms(parts, terms);
      return database.transaction('grant', async (tx) => {
        const notice = hash('sha256', noticeText, 'hex');
        const created = await createGrant(tx, terms, 'browser', notice, evidenceDigest(representative, notice, clock), clock);
        await recordGrantChange(tx, created, null);
        return created.grant.id;
      });
    },
    async list(subject, language) {
      const { grants } = await listGrants(database, { subject }, {}, clock.nowMs());
      return Promise.all(
        grants.map(async (grant) => {
          const institution = await readInstitution(database, grant.institution);
          const fields = describeFields(parts, asker(institution, grant, parts.clock), grant, language);
          return {
            id: grant.id,
            state: grant.state,
            institution: institution.name?.[language] ?? grant.institution,
            purpose: parts.policy().purposes.get(grant.purpose)?.title[language] ?? grant.purpose,
            fields: fields.map(({ ref, title, gets }) => ({ title, gets: gets[grant.fields.get(ref) ?? 'desensitised'] })),
            createdAtMs: grant.createdAtMs,
            validUntilMs: grant.validUntilMs,
            usesLeft: grant.usesLeft,
          };
        }),
      );
    },
    pause: (subject, grant) => change(subject, grant, 'pause'),
    resume: (subject, grant) => change(subject, grant, 'resume'),
    revoke: (subject, grant) => change(subject, grant, 'revoke'),
    async receipt(subject, grant) {
      const stored = await readGrant(database, grant, { subject }, clock.nowMs());
      return { fileName: `consent-${grant}.jws`, mediaType: 'application/jose', text: await parts.receipts.issue(stored) };
    },
  };
}

type DescriptionParts = Pick<ConsentDeskParts, 'clock' | 'catalogue' | 'policy'> & { readonly database: Sql };

/** Terms must fit the purpose's caps, and every field must be open to this institution at some consent. */
export async function validateTerms(parts: Pick<ConsentDeskParts, 'clock' | 'policy'> & { readonly database: Sql }, terms: GrantTerms): Promise<void> {
  const policy = parts.policy();
  checkCaps(terms, policy.caps(terms.purpose), parts.clock.nowMs());
  const institution = await readInstitution(parts.database, terms.institution);
  if (institution.status !== 'approved') throw new VeilgateError('INSTITUTION_NOT_ACTIVE', 'The institution is not admitted right now: nothing can be granted to it.');
  const by = asker(institution, terms, parts.clock);
  const closed = [...terms.fields].filter(([field, ceiling]) => opened(policy, by, terms, field, ceiling).length === 0).map(([field]) => field);
  if (closed.length > 0) {
    throw new VeilgateError('CONSENT_EXCEEDS_CAP', 'No consent opens these fields to this institution for this purpose: leave them out.', { fields: closed });
  }
}

/** Who asks, with every fact that is known before a query comes. */
type Asker = { readonly institutionClass: InstitutionClass; readonly facts: Facts };

function asker(institution: InstitutionView, { kind }: Pick<GrantTerms, 'kind'>, clock: Clock): Asker {
  const nowMs = clock.nowMs();
  const level = institution.assessment?.passed === true ? { securityLevel: institution.assessment.level } : {};
  return { institutionClass: institution.class, facts: gatherFacts({ institutionClass: institution.class, ...level, grant: { kind, origin: 'browser', createdAtMs: nowMs }, nowMs }) };
}

/** What consent up to `ceiling` would open, whatever the facts that only a later query states. */
function opened(policy: CompiledPolicy, { institutionClass, facts }: Asker, { purpose }: Pick<GrantTerms, 'purpose'>, field: FieldRef, ceiling: ConsentCeiling): readonly FieldDecision[] {
  const uses = (['read', 'verify', 'score', 'aggregate'] as const).map((use) => ({ field, use }));
  const { fields } = policy.decide({ purpose, institutionClass, asked: uses, consent: new Map([[field, ceiling]]), facts });
  // a condition may hold when the query comes: what depends on one counts as open
  return fields.filter(({ disposition, reason }) => disposition !== 'withhold' || reason === 'condition_not_evaluable' || reason === 'condition_not_met');
}

/** What terms mean, in words. Errors: POLICY_PURPOSE_UNKNOWN, INSTITUTION_NOT_FOUND. */
export async function describeTerms(parts: DescriptionParts, terms: GrantTerms, language: Language): Promise<ConsentDescription> {
  const policy = parts.policy();
  const institution = await readInstitution(parts.database, terms.institution);
  const purpose = policy.purposes.get(terms.purpose);
  if (purpose === undefined) throw new VeilgateError('POLICY_PURPOSE_UNKNOWN', 'The purpose is no longer in force: the institution must ask again.');
  return {
    institution: {
      name: institution.name?.[language] ?? terms.institution,
      kind: policy.institutionClasses.get(institution.class)?.title[language] ?? institution.class,
    },
    purpose: { title: purpose.title[language], text: purpose.description[language] },
    fields: describeFields(parts, asker(institution, terms, parts.clock), terms, language),
    caps: capSentences(purpose.caps, language),
  };
}

function describeFields({ catalogue, policy }: Pick<ConsentDeskParts, 'catalogue' | 'policy'>, by: Asker, terms: Pick<GrantTerms, 'purpose' | 'fields'>, language: Language): FieldDescription[] {
  return [...terms.fields.keys()].map((ref) => {
    const field = catalogue.fields.get(ref);
    const dataset = [...catalogue.datasets.values()].find(({ id }) => ref.startsWith(`${id}.`));
    const gets = (ceiling: ConsentCeiling) => getsWords(opened(policy(), by, terms, ref, ceiling), language, field?.unit);
    return {
      ref,
      title: field?.title[language] ?? ref,
      dataset: dataset?.title[language] ?? '',
      classification: field === undefined ? '' : `${classificationWords(field.classification, language)}${field.unit === undefined ? '' : ` · ${field.unit === 'CNY cent' ? { en: 'CNY', zh: '人民币' }[language] : field.unit}`}`,
      gets: { original: gets('original'), desensitised: gets('desensitised') },
    };
  });
}

function getsWords(decisions: readonly FieldDecision[], language: Language, unit: string | undefined): string {
  const words = decisions.map((decision) => {
    const depends = { en: 'depending on conditions of the policy', zh: '视政策条件而定' }[language];
    if (decision.disposition === 'withhold') return depends;
    if (decision.disposition === 'clear') return { en: 'the original value, which only the institution can open', zh: '原始值，仅该机构可解密' }[language];
    return openingWords(decision, unit)[language];
  });
  return words.length === 0 ? { en: 'nothing', zh: '不提供' }[language] : [...new Set(words)].join({ en: '; ', zh: '；' }[language]);
}

const kindWords = {
  public: { en: 'public', zh: '公开' },
  commercial_secret: { en: 'commercial secret', zh: '商业秘密' },
  personal: { en: 'personal', zh: '个人信息' },
} as const;

function classificationWords({ kind, level }: Classification, language: Language): string {
  return { en: `${kindWords[kind].en}, level ${level}`, zh: `${kindWords[kind].zh}，${level}级` }[language];
}

function capSentences(caps: PurposeCaps, language: Language): string[] {
  return language === 'en'
    ? [
        `A consent for this purpose may be valid for at most ${caps.validityDaysMax} days.`,
        `It may allow at most ${caps.usesMax} answers, at most ${caps.frequencyMax.max} a ${caps.frequencyMax.per}.`,
        `The institution must delete what it got after at most ${caps.dataLifeDaysMax} days.`,
        `The data may reach back at most ${caps.dataPeriodYearsMax} years.`,
      ]
    : [
        `该用途的授权有效期最长${caps.validityDaysMax}天。`,
        `最多提供${caps.usesMax}次，每${{ day: '日', week: '周', month: '月' }[caps.frequencyMax.per]}最多${caps.frequencyMax.max}次。`,
        `机构最迟须在${caps.dataLifeDaysMax}天后删除所获数据。`,
        `数据最多追溯${caps.dataPeriodYearsMax}年。`,
      ];
}

/** Ties the grant to the person who gave it, without naming anybody: who signed in, what they read, when. */
function evidenceDigest(representative: Representative, notice: string, clock: Clock): string {
  return hash('sha256', `veilgate consent ${representative.accountId} ${notice} ${clock.nowMs()}`, 'hex');
}

