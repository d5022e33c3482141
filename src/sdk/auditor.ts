import { fromBase64url } from '../audit/bytes.ts';
import type { ShownRecord } from '../audit/record-check.ts';
import { VeilgateError } from '../errors.ts';
import type { Connection } from './connection.ts';

/** An entry of the log as those see it whom it is about. */
export type EntryView = {
  readonly index: number;
  readonly commitment: string;
  readonly kind: string;
  readonly at: string;
  readonly actor: string;
  readonly institution: string | null;
  /** Null once erased, like the salt. */
  readonly record: Readonly<Record<string, unknown>> | null;
  readonly salt: string | null;
  /** For the enterprise, of a score among those of a list: fields behind it that it disputed then. The log's record names no enterprise. */
  readonly disputed?: readonly string[];
};

/** What an institution signed, and the key to check it with; null when the registry has lost the key. */
export type SignedRequestView = {
  readonly request: string;
  readonly key: { readonly jwk: Readonly<Record<string, unknown>>; readonly thumbprint: string; readonly added_at: string; readonly retired_at: string | null } | null;
};

export type AccessFilter = {
  readonly before?: number;
  readonly limit?: number;
  readonly institution?: string;
  /** RFC 3339; from this moment on, and before that one. */
  readonly from?: string;
  readonly to?: string;
  /** Only answers and scores that went out, or that were refused. */
  readonly outcome?: 'released' | 'refused';
  /** What happened to one grant, and under it. */
  readonly grant?: string;
};

/** The log as an auditor reads it; an enterprise or institution gets what is about it. */
export function auditorClient({ call }: Pick<Connection, 'call'>) {
  return {
    /** Newest first; continue with `before` the last index. */
    accesses(filter: AccessFilter = {}) {
      const query = new URLSearchParams(Object.entries(filter).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, String(value)]])));
      return call<{ readonly accesses: readonly EntryView[] }>({ method: 'GET', path: query.size === 0 ? '/v1/accesses' : `/v1/accesses?${query}` });
    },
    /** The receipt of an answer or refusal, issued anew. Errors: AUDIT_ENTRY_NOT_FOUND, also for an entry that is about none. */
    entryReceipt: async (index: number) => (await call<{ readonly receipt: string }>({ method: 'GET', path: `/v1/log/entries/${index}/receipt` })).receipt,
    entry: (index: number) => call<EntryView>({ method: 'GET', path: `/v1/log/entries/${index}` }),
    /** The request beside an entry, unchecked: hand it to `verifySignedRequest`. Needs the scope `audit`; each reading is logged. Errors: AUDIT_REQUEST_NOT_FOUND. */
    request: (index: number) => call<SignedRequestView>({ method: 'GET', path: `/v1/log/entries/${index}/request` }),
    /** Records of a bundle of 256 entries in the form `httpLogReader` takes; needs the scope `audit`. Errors: AUDIT_UNAVAILABLE. */
    async records(bundle: number, width: number): Promise<readonly (ShownRecord | null)[]> {
      const { records } = await call<{ readonly records: readonly (ServedRecord | null)[] }>({ method: 'GET', path: `/v1/log/records/${bundle}?width=${width}` });
      return records.map((served) => {
        if (served === null) return null;
        const salt = typeof served.salt === 'string' ? fromBase64url(served.salt) : undefined;
        if (salt === undefined) throw new VeilgateError('AUDIT_UNAVAILABLE', 'The gateway serves records in a form that cannot be read: ask the platform.');
        return { ...served, salt };
      });
    },
  };
}

type ServedRecord = Omit<ShownRecord, 'salt'> & { readonly salt: string };
