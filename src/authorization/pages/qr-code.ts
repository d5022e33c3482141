import { encode } from 'uqr';
import { html, type Html } from './html.ts';

/**
 * A text as a QR code, black on white whatever the page's colours: scanners need the contrast. Portable: runs in browsers too.
 * @param label what it is, for those who cannot see it
 * @param ecc how much damage it bears: `L` for long texts on paper
 */
export function qrCode(text: string, label: string, ecc: 'L' | 'M'): Html {
  const { size, data } = encode(text, { ecc, border: 4 });
  const dark = data.flatMap((row, y) => [...row.map((isDark) => (isDark ? '1' : '0')).join('').matchAll(/1+/g)].map(({ index, 0: run }) => `M${index} ${y}h${run.length}v1h-${run.length}z`)).join('');
  return html`<svg class="qr" role="img" aria-label="${label}" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path fill="#000" d="${dark}"/></svg>`;
}
