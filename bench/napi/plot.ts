// The plot: panels side by side over one kind of horizontal axis, as SVG without anything that would need a library.
import type { DriverName, Point, Series } from './measure.js';

const WIDTH = 980;
const HEIGHT = 372;
const PANEL = { width: 236, height: 210, top: 104, left: 66, gap: 88 };
const FONT = "font-family='Helvetica, Arial, sans-serif'";
const INK = '#1f2328';
const SOFT = '#57606a';
const GRID = '#e4e7eb';

/** Colours that differ for everybody (Okabe and Ito), and shapes besides. */
const STYLE: {
  readonly [name in DriverName]: { readonly label: string; readonly colour: string; readonly dash: string };
} = {
  napi: { label: 'NAPI: the first packet interrupts, the rest is polled', colour: '#0072b2', dash: '' },
  interrupt: { label: 'one interrupt for each packet', colour: '#d55e00', dash: " stroke-dasharray='7 4'" },
};

/** A quantity that gets a panel. */
interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly value: (point: Point) => number;
  /** Top of the axis, and the distance of its ticks. */
  readonly max: number;
  readonly step: number;
}

const PANELS: readonly Panel[] = [
  { title: 'Interrupts', unit: 'thousand per second', value: (point) => point.interrupts / 1e3, max: 350, step: 50 },
  { title: 'Packets handled', unit: 'thousand per second', value: (point) => point.handled / 1e3, max: 900, step: 100 },
  { title: 'CPU left for a task', unit: 'percent', value: (point) => point.task * 100, max: 100, step: 20 },
];

/** Ticks of the horizontal axis, packets per second. */
const TICKS: readonly (readonly [number, string])[] = [
  [10_000, '10k'],
  [100_000, '100k'],
  [1_000_000, '1M'],
];
const MIN_LOAD = 10_000;
const MAX_LOAD = 3_200_000;
/** The axis is logarithmic, which the ticks between the others show. */
const MINOR_TICKS: readonly number[] = [10_000, 100_000, 1_000_000]
  .flatMap((decade) => [2, 3, 4, 5, 6, 7, 8, 9].map((n) => n * decade))
  .filter((load) => load <= MAX_LOAD);

const round = (value: number): string => value.toFixed(1).replace(/\.0$/, '');

function text(x: number, y: number, size: number, attributes: string, content: string): string {
  return `<text x='${round(x)}' y='${round(y)}' ${FONT} font-size='${size}' ${attributes}>${content}</text>`;
}

/** Where a load lies on its axis, from 0 to 1. */
function along(load: number): number {
  return Math.log(load / MIN_LOAD) / Math.log(MAX_LOAD / MIN_LOAD);
}

function curve(series: Series, panel: Panel, left: number): string[] {
  const { colour, dash } = STYLE[series.name];
  const places = series.points.map((point) => {
    const x = left + along(point.offered) * PANEL.width;
    const y = PANEL.top + PANEL.height * (1 - panel.value(point) / panel.max);
    return [round(x), round(y)] as const;
  });
  const line = places.map(([x, y]) => `${x},${y}`).join(' ');
  const dots = places.map(([x, y]) => `<circle cx='${x}' cy='${y}' r='2.4' fill='${colour}'/>`);
  return [`<polyline points='${line}' fill='none' stroke='${colour}' stroke-width='2'${dash}/>`, ...dots];
}

function axes(panel: Panel, left: number): string[] {
  const { top, width, height } = PANEL;
  const bottom = top + height;
  const parts = [
    text(left, top - 28, 15, `font-weight='bold' fill='${INK}'`, panel.title),
    text(left, top - 11, 12, `fill='${SOFT}'`, panel.unit),
  ];
  for (let value = 0; value <= panel.max; value += panel.step) {
    const y = bottom - (value / panel.max) * height;
    parts.push(`<line x1='${left}' x2='${left + width}' y1='${round(y)}' y2='${round(y)}' stroke='${GRID}'/>`);
    parts.push(text(left - 8, y + 4, 12, `text-anchor='end' fill='${SOFT}'`, String(value)));
  }
  for (const load of MINOR_TICKS) {
    const x = round(left + along(load) * width);
    parts.push(`<line x1='${x}' x2='${x}' y1='${bottom}' y2='${bottom + 3}' stroke='${SOFT}' stroke-width='0.6'/>`);
  }
  for (const [load, label] of TICKS) {
    const x = round(left + along(load) * width);
    parts.push(`<line x1='${x}' x2='${x}' y1='${bottom}' y2='${bottom + 5}' stroke='${SOFT}'/>`);
    parts.push(text(Number(x), bottom + 20, 12, `text-anchor='middle' fill='${SOFT}'`, label));
  }
  parts.push(`<line x1='${left}' x2='${left + width}' y1='${bottom}' y2='${bottom}' stroke='${SOFT}'/>`);
  const label = 'packets offered per second';
  parts.push(text(left + width / 2, bottom + 40, 12, `text-anchor='middle' fill='${SOFT}'`, label));
  return parts;
}

function legend(all: readonly Series[]): string[] {
  let x = PANEL.left;
  return all.flatMap(({ name }) => {
    const { label, colour, dash } = STYLE[name];
    const at = x;
    x += 60 + label.length * 6.6;
    return [
      `<line x1='${round(at)}' x2='${round(at + 30)}' y1='36' y2='36' stroke='${colour}' stroke-width='2'${dash}/>`,
      `<circle cx='${round(at + 15)}' cy='36' r='3' fill='${colour}'/>`,
      text(at + 38, 40.5, 13, `fill='${INK}'`, label),
    ];
  });
}

/** The whole picture. */
export function plot(all: readonly Series[]): string {
  const panels = PANELS.flatMap((panel, i) => {
    const left = PANEL.left + i * (PANEL.width + PANEL.gap);
    return [...axes(panel, left), ...all.flatMap((series) => curve(series, panel, left))];
  });
  const title =
    'Interrupts, packets handled and CPU left for a task, by packets offered per second, with and without NAPI';
  return `${[
    `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 ${WIDTH} ${HEIGHT}' width='${WIDTH}' height='${HEIGHT}' role='img'>`,
    `<title>${title}</title>`,
    `<rect width='${WIDTH}' height='${HEIGHT}' fill='#ffffff'/>`,
    ...legend(all),
    ...panels,
    '</svg>',
  ].join('\n')}\n`;
}
