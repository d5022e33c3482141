/** Pages beyond this many are left to a narrower search. */
const pagesMax = 25;

/** Everything a paged list has. @param read one page; `next` leads to the following one */
export async function allPages<Row, Next>(read: (after: Next | undefined) => Promise<{ readonly rows: readonly Row[]; readonly next: Next | null }>): Promise<Row[]> {
  const rows: Row[] = [];
  let after: Next | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const answer = await read(after);
    rows.push(...answer.rows);
    if (answer.next === null) break;
    after = answer.next;
  }
  return rows;
}
