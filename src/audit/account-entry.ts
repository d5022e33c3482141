import type { PartyId } from '../vocabulary.ts';
import type { Common } from './entry.ts';

/**
 * The account of one of a party's people: an invitation was made, it was taken up with a second factor, or either was removed.
 * Who the person is stays with the party; `account` is random.
 */
export type AccountRecord = Common<'account.invited' | 'account.activated' | 'account.removed'> & { readonly party: PartyId; readonly account: string };
