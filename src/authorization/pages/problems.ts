import type { ErrorCode, VeilgateError } from '../../errors.ts';
import type { NarrowingFault } from '../consent-request.ts';
import { texts, type Language } from './language.ts';

/** HTTP status of a page that shows the error. */
export function problemStatus(error: VeilgateError): number {
  switch (error.code) {
    case 'ACCOUNT_SIGN_IN_FAILED':
    case 'ACCOUNT_ACTIVATION_INVALID':
    case 'ACCOUNT_NOT_ADMITTED':
      return 403;
    case 'ACCOUNT_LOCKED':
    case 'REQUEST_RATE_LIMITED':
      return 429;
    case 'CONSENT_NOT_FOUND':
    case 'REQUEST_NOT_FOUND':
      return 404;
    case 'CONSENT_STATE_CONFLICT':
    case 'ACCOUNT_NAME_TAKEN':
    case 'ACCOUNT_FACTOR_NEEDED':
    case 'INSTITUTION_NOT_ACTIVE':
    case 'POLICY_PURPOSE_UNKNOWN':
      return 409;
    case 'REQUEST_TOO_LARGE':
      return 413;
    case 'STORE_UNAVAILABLE':
    case 'REQUEST_OVERLOADED':
      return 503;
    default:
      return error.code.startsWith('CONSENT_') || error.code.startsWith('REQUEST_') ? 400 : 500;
  }
}

const chinese: Partial<Record<ErrorCode, string>> = {
  ACCOUNT_SIGN_IN_FAILED: '用户名、密码或一次性密码错误，请核对后重试。',
  ACCOUNT_ACTIVATION_INVALID: '名称与激活码不符，或激活码已使用、已过期。请向给您激活码的一方申请新的激活码。',
  ACCOUNT_NOT_ADMITTED: '您所属的机构目前未获准入，请联系平台登记人员。',
  ACCOUNT_FACTOR_NEEDED: '这是您账户唯一的第二验证因素。请先添加另一个通行密钥，再移除它。',
  ACCOUNT_NAME_TAKEN: '该用户名已被使用，请换一个。',
  REQUEST_INVALID: '输入有误：密码至少 12 个字符且不含用户名、信用代码或机构编号，用户名为 3 到 64 个字母、数字、点、连字符、下划线或 @。',
  ACCOUNT_LOCKED: '失败次数过多，请稍后再试。',
  REQUEST_RATE_LIMITED: '请求过多，请稍后重试。',
  REQUEST_OVERLOADED: '服务器繁忙，请稍后重试。',
  REQUEST_TOO_LARGE: '请求过大。',
  CONSENT_NOT_FOUND: '没有这项授权。',
  CONSENT_STATE_CONFLICT: '该授权当前的状态不允许此操作。',
  CONSENT_EXCEEDS_CAP: '申请超出平台允许的上限。',
  INSTITUTION_NOT_ACTIVE: '该机构目前未获准入，不能向其授权。',
  POLICY_PURPOSE_UNKNOWN: '该用途已失效，须由申请机构重新申请。',
  STORE_UNAVAILABLE: '服务器暂时无法答复，未作任何更改。请稍后重试。',
};

const chineseNarrowing: Readonly<Record<NarrowingFault, (most: string) => string>> = {
  agree: () => texts.zh.agreeFirst,
  fields: () => '请至少勾选一个数据项，或选择拒绝。',
  tampered: () => '表单中包含未被申请的内容。请从申请机构的页面重新开始。',
  days: (most) => `有效天数须在 1 到 ${most} 之间。`,
  uses: (most) => `使用次数须在 1 到 ${most} 之间。`,
};

/** The error in the page's language; the English sentence where there is no Chinese one. */
export function problemSentence(error: VeilgateError, language: Language): string {
  if (language === 'en') return error.message;
  const reason = error.detail?.['reason'];
  if (typeof reason === 'string' && Object.hasOwn(chineseNarrowing, reason)) return chineseNarrowing[reason as NarrowingFault](String(error.detail?.['most'] ?? ''));
  return chinese[error.code] ?? error.message;
}
