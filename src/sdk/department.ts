import type { Connection } from './connection.ts';

/** The gateway as a department uses it: records in, quality reports out. */
export function departmentClient(connection: Connection) {
  const dataset = (id: string) => `/v1/datasets/${encodeURIComponent(id)}`;
  return {
    /**
     * Streams a file of records; the answer is the quality report.
     * @param errorLimit rows that may be rejected before nothing of the file is loaded; 0: all or nothing
     */
    load: (id: string, file: { readonly format: 'csv' | 'ndjson'; readonly content: ReadableStream<Uint8Array> | string }, errorLimit = 0) =>
      connection.call<Record<string, unknown>>({
        method: 'POST',
        path: `${dataset(id)}/records?error_limit=${errorLimit}`,
        body: { type: file.format === 'csv' ? 'text/csv' : 'application/x-ndjson', content: file.content },
      }),
    /**
     * Replaces one record of an enterprise.
     * @param record `subject` and fields by name, as a line of an NDJSON file; what is left out has no value from then on
     */
    correct: (id: string, record: Readonly<Record<string, unknown>>) =>
      connection.call<{ readonly dataset: string; readonly subject: string; readonly outcome: 'new' | 'changed' | 'unchanged' }>({ method: 'POST', path: `${dataset(id)}/corrections`, json: { record } }),
    quality: (id: string) => connection.call<Record<string, unknown>>({ method: 'GET', path: `${dataset(id)}/quality` }),
  };
}
