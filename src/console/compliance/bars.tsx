const barPixels = 22;
const width = 760;
const textWidth = 330;

/** Positive and negative amounts as bars from a common line; the table beside it says the same in figures. */
export function Bars({ label, bars }: { readonly label: string; readonly bars: readonly { readonly name: string; readonly value: number }[] }) {
  const most = Math.max(1, ...bars.map(({ value }) => Math.abs(value)));
  const middle = textWidth + (width - textWidth) / 2;
  const length = (value: number) => (Math.abs(value) / most) * ((width - textWidth) / 2 - 4);
  return (
    <div className="bars">
      <svg viewBox={`0 0 ${width} ${bars.length * barPixels}`} role="img" aria-label={label}>
        <line x1={middle} x2={middle} y1={0} y2={bars.length * barPixels} stroke="#7b8794" />
        {bars.map(({ name, value }, at) => (
          <g key={name}>
            <text x={textWidth - 8} y={at * barPixels + 15} textAnchor="end" fontSize={12} fill="#17212b">{name}</text>
            <rect x={value < 0 ? middle - length(value) : middle} y={at * barPixels + 4} width={length(value)} height={barPixels - 8} fill={value < 0 ? '#8f1d1d' : '#0b5394'} />
          </g>
        ))}
      </svg>
    </div>
  );
}
