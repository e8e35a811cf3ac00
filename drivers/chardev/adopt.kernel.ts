// Requests that are taken over from their descriptor, on the real kernel: nothing on the wire changes, and nothing is believed.
import { closeSync, openSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { LineConfig, LineInfoChange } from '../../kernel/index.js';
import { failsWith, Recorder } from '../../test/contract/backend.js';
import { createGpioSim, type GpioSim } from '../../test/kernel/gpio-sim.js';
import type { AdoptingChip, KeptRequest } from './adopt.js';
import { openChardev } from './chardev.js';

const BUTTON = 17;
const LED = 4;
const RELAY = 5;
const FIFO = 16;
const LINES: readonly LineConfig[] = [
  { offset: BUTTON, direction: 'in', edge: 'both', bias: 'pull-up', activeLow: true },
  { offset: LED, direction: 'out', initial: 0 },
  { offset: RELAY, direction: 'out', drive: 'open-drain', activeLow: true, initial: 0 },
];
const KEPT: KeptRequest = { lines: LINES, consumer: 'test', eventBufferSize: FIFO, levels: [undefined, 1, undefined] };

let sim: GpioSim;
beforeEach(() => {
  sim = createGpioSim();
  sim.pull(BUTTON, 1);
  // What pulls an open drain up.
  sim.pull(RELAY, 1);
});
afterEach(() => sim.remove());

function open(): AdoptingChip {
  const chip = openChardev(sim.path);
  onTestFinished(() => chip.close());
  return chip;
}

/** Holds the lines as another process would, and gives their descriptor. */
function heldElsewhere(): { readonly fd: number; end(): void } {
  const chip = open();
  const request = chip.requestLines(KEPT);
  request.setValue(LED, 1);
  return { fd: chip.descriptorOf(request), end: () => chip.close() };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('a request that is taken over', () => {
  it('keeps its lines held and its outputs as they are, and nobody sees a change', async () => {
    const { fd, end } = heldElsewhere();
    const watcher = open();
    const changes: LineInfoChange[] = [];
    for (const { offset } of LINES) watcher.watchLineInfo(offset, (change) => changes.push(change));
    const request = open().adoptLines(fd, KEPT);
    end();
    await turn();
    expect([sim.value(LED), sim.value(RELAY)]).toEqual([1, 1]);
    expect(LINES.map(({ offset }) => watcher.lineInfo(offset).used)).toEqual([true, true, true]);
    expect(changes).toEqual([]);
    expect(request.offsets).toEqual([BUTTON, LED, RELAY]);
    expect(request.eventBufferSize).toBe(FIFO);
    request.setValue(LED, 0);
    request.setValue(RELAY, 1);
    expect(request.getValues()).toEqual([0, 0, 1]);
    expect([sim.value(LED), sim.value(RELAY)]).toEqual([0, 0]);
  });

  it('finds the edges that nobody has read, with their numbers, and what its FIFO had no room for missing', async () => {
    const { fd, end } = heldElsewhere();
    for (let i = 0; i < 6; i++) sim.pull(BUTTON, i % 2 === 0 ? 0 : 1);
    const request = open().adoptLines(fd, KEPT);
    end();
    for (let i = 0; i < FIFO; i++) sim.pull(BUTTON, i % 2 === 0 ? 0 : 1);
    const recorder = new Recorder(request);
    await turn();
    expect(recorder.edges.map(({ lineSeqno }) => lineSeqno)).toEqual(Array.from({ length: FIFO }, (_, i) => i + 7));
  });

  it('finds the edges that came after its holder had stopped reading, and no other', async () => {
    const chip = open();
    const before = chip.requestLines(KEPT);
    const read = new Recorder(before);
    sim.pull(BUTTON, 0);
    await turn();
    chip.pauseEdges(before);
    sim.pull(BUTTON, 1);
    await turn();
    before.setValue(LED, 1);
    const request = open().adoptLines(chip.descriptorOf(before), KEPT);
    chip.close();
    const after = new Recorder(request);
    await turn();
    expect([read, after].map(({ edges }) => edges.map(({ lineSeqno }) => lineSeqno))).toEqual([[1], [2]]);
    expect(sim.value(LED)).toBe(1);
  });

  it('is configured as it was: what changes afterwards changes only that', async () => {
    const { fd, end } = heldElsewhere();
    const request = open().adoptLines(fd, KEPT);
    end();
    request.reconfigure(LINES.map((line) => (line.offset === BUTTON ? { ...line, debounceUs: 20_000 } : line)));
    expect([sim.value(LED), sim.value(RELAY)]).toEqual([1, 1]);
    expect(open().lineInfo(BUTTON).debounceUs).toBe(20_000);
  });

  it('is let go of when the last who has it does', () => {
    const { fd, end } = heldElsewhere();
    const request = open().adoptLines(fd, KEPT);
    end();
    request.release();
    expect(open().lineInfo(LED).used).toBe(false);
    failsWith('EBADF', () => request.getValues());
  });

  it('hears that its chip is gone', async () => {
    const { fd, end } = heldElsewhere();
    const request = open().adoptLines(fd, KEPT);
    end();
    const told: unknown[] = [];
    request.onGone((error) => told.push(error));
    sim.unplug();
    await turn();
    expect(told).toHaveLength(1);
  });
});

describe('what is refused', () => {
  const [button, ...outputs] = LINES;
  const cases: readonly [string, KeptRequest, RegExp][] = [
    ['too few lines', { ...KEPT, lines: outputs }, /EINVAL/],
    ['too many lines', { ...KEPT, lines: [...LINES, { offset: 6, direction: 'in' }] }, /EINVAL/],
    ['a line that nobody holds', { ...KEPT, lines: [{ offset: 6, direction: 'in' }, ...outputs] }, /nobody holds it/],
    ['another consumer', { ...KEPT, consumer: 'other' }, /its consumer is 'test', and was 'other'/],
    ['another edge', { ...KEPT, lines: [{ offset: BUTTON, direction: 'in' }, ...outputs] }, /its edge is 'both'/],
    ['another direction', { ...KEPT, lines: LINES.map(({ offset }) => ({ offset, direction: 'out' })) }, /direction/],
    [
      'another bias',
      { ...KEPT, lines: LINES.map((line) => (line === button ? { ...line, bias: 'pull-down' } : line)) },
      /its bias is 'pull-up'/,
    ],
  ];
  it.each(cases)('a description with %s', (_, kept, message) => {
    const { fd } = heldElsewhere();
    expect(failsWith('EINVAL', () => open().adoptLines(fd, kept)).message).toMatch(message);
    expect(sim.value(LED)).toBe(1);
  });

  it('a descriptor that is no request, or none at all', () => {
    const fd = openSync('/dev/null', 'r');
    onTestFinished(() => closeSync(fd));
    heldElsewhere();
    failsWith('ENOTTY', () => open().adoptLines(fd, KEPT));
    failsWith('EBADF', () => open().adoptLines(4_000, KEPT));
  });

  it('a request whose chip is gone, though one of its name is there', () => {
    const { fd } = heldElsewhere();
    sim.unplug();
    sim.plug();
    const chip = open();
    failsWith('ENODEV', () => chip.adoptLines(fd, KEPT));
    expect(chip.lineInfo(LED).used).toBe(false);
  });

  it('the descriptor of a request that was released, or of another open chip', () => {
    const chip = open();
    const request = chip.requestLines(KEPT);
    failsWith('EINVAL', () => open().descriptorOf(request));
    request.release();
    failsWith('EINVAL', () => chip.descriptorOf(request));
  });
});
