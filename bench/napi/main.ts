// Writes docs/napi.svg, and the table of docs/napi.md between its markers. All of it is in the model's time: the same on every run.
import { readFileSync, writeFileSync } from 'node:fs';
import { type Point, type Series, sweep } from './measure.js';
import { plot } from './plot.js';

const PLOT = 'docs/napi.svg';
const PAGE = 'docs/napi.md';
const BETWEEN = /(<!-- napi -->\n)[\s\S]*(<!-- \/napi -->)/;
/** Loads: 10,000 to 3,160,000 packets a second, twelve a decade; those of the table are every sixth of them. */
const LOADS: readonly number[] = Array.from({ length: 31 }, (_, i) => Math.round(10_000 * 10 ** (i / 12)));
const IN_TABLE = 6;

const number = (value: number): string =>
  Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');

function cells({ interrupts, handled, missed, task, waitNs }: Point): string {
  const wait = (waitNs / 1_000).toFixed(waitNs < 10_000 ? 1 : 0);
  return `${number(interrupts)} | ${number(handled)} | ${number(missed)} | ${Math.round(task * 100)} % | ${wait}`;
}

function table(napi: Series, interrupt: Series): string {
  const header = [
    '| packets offered /s | driver | interrupts /s | handled /s | missed /s | CPU left for the task | wait, µs |',
    '|--:|---|--:|--:|--:|--:|--:|',
  ];
  const rows = napi.points.flatMap((point, i) => {
    const other = interrupt.points[i];
    if (i % IN_TABLE !== 0 || other === undefined) return [];
    return [`| ${number(point.offered)} | NAPI | ${cells(point)} |`, `| | interrupt | ${cells(other)} |`];
  });
  return [...header, ...rows].join('\n');
}

const napi = sweep('napi', LOADS);
const interrupt = sweep('interrupt', LOADS);
const page = readFileSync(PAGE, 'utf8');
if (!BETWEEN.test(page)) throw new Error(`${PAGE} has lost its markers "<!-- napi -->" and "<!-- /napi -->"`);
const text = table(napi, interrupt);
writeFileSync(PLOT, plot([napi, interrupt]));
writeFileSync(
  PAGE,
  page.replace(BETWEEN, (_, open: string, close: string) => `${open}\n${text}\n\n${close}`),
);
process.stdout.write(`${text}\nwritten to ${PLOT} and ${PAGE}\n`);
