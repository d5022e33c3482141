/** Pages beyond this many are left to a narrower search. */
const pagesMax = 25;

/** What was read of a list. */
export type Listed<Row> = { readonly rows: readonly Row[]; /** The list goes on beyond these rows. */ readonly isCut: boolean };

/** Everything a paged list has, or as much as one looks at. @param read one page; `next` leads to the following one */
export async function allPages<Row, Next>(read: (after: Next | undefined) => Promise<{ readonly rows: readonly Row[]; readonly next: Next | null }>): Promise<Listed<Row>> {
  const rows: Row[] = [];
  let after: Next | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const answer = await read(after);
    rows.push(...answer.rows);
    if (answer.next === null) return { rows, isCut: false };
    after = answer.next;
  }
  return { rows, isCut: true };
}
