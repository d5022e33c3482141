import { texts, useFormats, useTexts } from '../shell/language.tsx';

const chartTexts = texts({ label: '{title}. The same figures stand in the table below.' }, { label: '{title}。相同数字见下方表格。' });

export type BarRow = { readonly key: string; readonly label: string; /** One for each series, stacked. */ readonly values: readonly number[] };
type ChartProps = { readonly title: string; readonly series: readonly string[]; readonly rows: readonly BarRow[] };

export const sum = <Row,>(rows: readonly Row[], count: (row: Row) => number) => rows.reduce((all, row) => all + count(row), 0);

/** Rows with the same key added up, as bars: one value for each counter. */
export function bars<Row>(rows: readonly Row[], keyOf: (row: Row) => string, labelOf: (key: string) => string, ...counters: readonly ((row: Row) => number)[]): readonly BarRow[] {
  return [...Map.groupBy(rows, keyOf)].map(([key, group]) => ({ key, label: labelOf(key), values: counters.map((count) => sum(group, count)) }));
}

/** More bars tell nothing at a glance: the table has them all. */
const barsMax = 12;
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** Horizontal bars, longest first. Series differ by fill and outline, not by colour alone; a table with the same figures stands below. */
export function BarChart({ title, series, rows }: ChartProps) {
  const t = useTexts(chartTexts);
  const { number } = useFormats();
  const drawn = rows.filter(({ values }) => total(values) > 0).toSorted((one, other) => total(other.values) - total(one.values)).slice(0, barsMax);
  if (drawn.length === 0) return null;
  const longest = Math.max(...drawn.map(({ values }) => total(values)));
  return (
    <figure className="chart">
      <figcaption className="unseen">{title}</figcaption>
      <Legend series={series} />
      <div role="img" aria-label={t('label', { title })} className="bars">
        {drawn.map(({ key, label, values }) => (
          <div key={key} className="bar">
            <span className="bar-label">{label}</span>
            <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
              {values.map((value, at) => <rect key={series[at]} className={`series-${at}`} x={(100 * total(values.slice(0, at))) / longest} y={1} width={(100 * value) / longest} height={8} />)}
            </svg>
            <span className="bar-value">{values.map(number).join(' / ')}</span>
          </div>
        ))}
      </div>
    </figure>
  );
}

/** Few columns do not become broad ones. */
const columnsMin = 14;

/** Columns side by side, in the order given, such as days. */
export function ColumnChart({ title, series, rows }: ChartProps) {
  const t = useTexts(chartTexts);
  const { number } = useFormats();
  const highest = Math.max(0, ...rows.map(({ values }) => total(values)));
  if (highest === 0) return null;
  const height = (value: number) => (96 * value) / highest;
  const width = Math.max(rows.length, columnsMin) * 10;
  return (
    <figure className="chart">
      <figcaption className="unseen">{title}</figcaption>
      <Legend series={series} />
      <div role="img" aria-label={t('label', { title })} className="columns-chart">
        <span className="axis-top">{number(highest)}</span>
        <svg viewBox={`0 0 ${width} 100`} preserveAspectRatio="none" aria-hidden="true">
          {rows.flatMap(({ key, values }, at) => values.map((value, of) => (
            <rect key={`${key} ${series[of]}`} className={`series-${of}`} x={at * 10 + 1} y={100 - height(total(values.slice(0, of + 1)))} width={8} height={height(value)} />
          )))}
          <line className="axis" x1={0} y1={100} x2={width} y2={100} />
        </svg>
        <span className="axis-ends"><span>{rows[0]?.label}</span>{rows.length > 1 && <span>{rows.at(-1)?.label}</span>}</span>
      </div>
    </figure>
  );
}

function Legend({ series }: { readonly series: readonly string[] }) {
  if (series.length < 2) return null;
  return (
    <ul className="legend">
      {series.map((name, at) => <li key={name}><svg viewBox="0 0 10 10" aria-hidden="true"><rect className={`series-${at}`} x={1} y={1} width={8} height={8} /></svg>{name}</li>)}
    </ul>
  );
}
