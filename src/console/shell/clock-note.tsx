import { WarningNote } from '../parts/notes.tsx';
import { texts, useFormats, useTexts } from './language.tsx';
import { useSession } from './session.tsx';

const minuteMs = 60_000;
/** Less than this is of no consequence, and slow networks look like it. */
const toleratedMs = 5 * minuteMs;

const clockTexts = texts(
  {
    ahead: 'The clock of this machine is {difference} fast.', behind: 'The clock of this machine is {difference} slow.', minutes: '{minutes} min', hours: '{hours} h {minutes} min',
    effect: 'These pages show and count by the platform\'s clock. Set the machine\'s: what this browser signs may be refused.',
  },
  {
    ahead: '本机时钟快了 {difference}。', behind: '本机时钟慢了 {difference}。', minutes: '{minutes} 分钟', hours: '{hours} 小时 {minutes} 分钟',
    effect: '页面均以平台时间显示和计算。请校准本机时钟，否则本浏览器签名的请求可能被拒绝。',
  },
);

/** Says so where the machine's clock is far from the platform's. */
export function ClockNote() {
  const t = useTexts(clockTexts);
  const { number } = useFormats();
  const { aheadMs } = useSession();
  if (Math.abs(aheadMs) < toleratedMs) return null;
  const minutes = Math.round(Math.abs(aheadMs) / minuteMs);
  const difference = minutes < 60 ? t('minutes', { minutes }) : t('hours', { hours: number(Math.floor(minutes / 60)), minutes: minutes % 60 });
  return <WarningNote><p className="note-title">{t(aheadMs > 0 ? 'ahead' : 'behind', { difference })}</p><p>{t('effect')}</p></WarningNote>;
}
