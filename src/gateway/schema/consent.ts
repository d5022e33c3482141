import { consentChoiceSchema, consentDetailSchema } from '../../consent/schemas.ts';
import { named, type NamedSchemas } from './compile.ts';
import { embedSchemas } from './embed.ts';
import { list, nullable, object, text } from './words.ts';

const plain = { type: 'string', maxLength: 200 } as const;
const wording = object({
  institution: object({ name: text(200), kind: text(200) }),
  purpose: object({ title: text(200), text: text(2000) }),
  fields: list(object({ ref: named('FieldRef'), title: text(200), dataset: plain, classification: plain, gets: object({ original: text(2000), desensitised: text(2000) }) }), 200),
  caps: list(text(500), 10),
}, { description: 'The terms in plain words: for each field what the institution gets at each ceiling.' });

/** What an enterprise is asked to consent to and how it narrows that, in consent's own words. */
export const consentSchemas: NamedSchemas = {
  ...embedSchemas({ ConsentDetail: consentDetailSchema, ConsentChoice: consentChoiceSchema }),
  GrantOffer: object({
    terms: named('ConsentDetail'),
    description: object({ en: wording, zh: wording }),
    notice_digest: named('Digest'),
    obstacle: nullable(object({ code: text(64), detail: text(2000) }, { description: 'Why the terms cannot be accepted as they are; some can once they are narrowed.' })),
  }, { description: 'What the enterprise would agree to at this moment. Accepting names `notice_digest`, so that nothing else than what was read is agreed to.' }),
};
