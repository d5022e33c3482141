import { texts, useTexts } from '../shell/language.tsx';

const reasonCode = /^[a-z][a-z0-9_]{0,63}$/;
const reasonTexts = texts({ wrong: 'Begin with a letter; then small letters, digits and _ only.' }, { wrong: '以字母开头，仅限小写字母、数字和下划线。' });

/** Reasons go to the log, which holds no free text. @returns what is wrong with one, in words */
export function useReasonProblem(): (typed: string) => string | undefined {
  const t = useTexts(reasonTexts);
  return (typed) => (reasonCode.test(typed) ? undefined : t('wrong'));
}
