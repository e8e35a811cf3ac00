// Value Change Dumps: what is written is what another parser reads, what others write is read, and nothing crashes the reader.
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Level } from '../../kernel/index.js';
import { readVcd, VcdFault, type VcdItem } from './vcd-reader.js';
import { VcdWriter } from './vcd-writer.js';

/** What the parser from the registry makes of a dump. */
interface ParsedVcd {
  readonly timescale: string;
  readonly endtime: string;
  readonly signal: readonly { readonly signalName: string; readonly type: string; readonly wave: [string, string][] }[];
}

const { parse } = createRequire(import.meta.url)('vcd-parser') as { parse(text: string): Promise<ParsedVcd> };

/** The other parser is slow. */
const PATIENT = 300_000;

function linesOf(text: string): { text: string; number: number }[] {
  return text.split('\n').map((line, i) => ({ text: line, number: i + 1 }));
}

function changesIn(text: string): [number, string, number | string][] {
  const names = new Map<string, string>();
  const changes: [number, string, number | string][] = [];
  for (const item of readVcd(linesOf(text))) {
    if (item.kind === 'signal') names.set(item.id, item.name);
    else changes.push([item.atNs, names.get(item.id) ?? '?', item.value]);
  }
  return changes;
}

function faultOf(text: string): string {
  try {
    for (const _ of readVcd(linesOf(text)));
    return 'none';
  } catch (error) {
    if (!(error instanceof VcdFault)) throw error;
    return `${error.line}: ${error.message}; ${error.hint}`;
  }
}

const HEADER =
  '$timescale 1 us $end\n$scope module libsigrok $end\n$var wire 1 ! D0 $end\n$var wire 1 " D1 $end\n$upscope $end\n$enddefinitions $end\n';

/** Changes of three signals, in the order of time. */
const dumps = fc
  .array(fc.tuple(fc.nat(1_000_000), fc.nat(2)), { maxLength: 60 })
  .map((steps) => steps.sort(([a], [b]) => a - b));

function written(steps: readonly (readonly [number, number])[]): { text: string; waves: [string, string][][] } {
  let text = '';
  const levels: Level[] = [1, 0, 1];
  const waves = levels.map((level): [string, string][] => [['0', String(level)]]);
  const writer = new VcdWriter(
    'gpio',
    levels.map((initial, i) => ({ name: `line-${i}`, initial })),
    (part) => {
      text += part;
    },
  );
  let last = 0;
  for (const [at, i] of steps) {
    const level = levels[i] === 1 ? 0 : 1;
    levels[i] = level;
    writer.change(at, i, level);
    waves[i]?.push([String(at), String(level)]);
    last = at;
  }
  writer.finish(last + 5);
  return { text, waves };
}

describe('VcdWriter', () => {
  it(
    'writes what another parser reads as the same waves',
    async () => {
      await fc.assert(
        fc.asyncProperty(dumps, async (steps) => {
          const { text, waves } = written(steps);
          const parsed = await parse(text);
          expect(parsed.timescale).toMatch(/^1 ?ns$/);
          expect(parsed.signal.map(({ signalName }) => signalName)).toEqual(['line-0', 'line-1', 'line-2']);
          expect(parsed.signal.map(({ wave }) => wave)).toEqual(waves);
        }),
      );
    },
    PATIENT,
  );

  it('has an identifier for each of more signals than there are characters', () => {
    let text = '';
    const signals = Array.from({ length: 300 }, (_, i) => ({ name: `s${i}`, initial: 0 as const }));
    new VcdWriter('gpio', signals, (part) => {
      text += part;
    }).finish(1);
    const ids = [...readVcd(linesOf(text))].flatMap((item: VcdItem) => (item.kind === 'signal' ? [item.id] : []));
    expect(new Set(ids).size).toBe(300);
  });
});

describe('readVcd', () => {
  it('reads back what the writer wrote', () => {
    fc.assert(
      fc.property(dumps, (steps) => {
        const { text, waves } = written(steps);
        const read = changesIn(text);
        waves.forEach((wave, i) => {
          const mine = read
            .filter(([, name]) => name === `line-${i}`)
            .map(([at, , value]) => [String(at), String(value)]);
          expect(mine).toEqual(wave);
        });
      }),
    );
  });

  it('reads what PulseView exports: times and values on one line, in its timescale', () => {
    expect(changesIn(`${HEADER}#0 0! 1"\n#15 1!\n#20 0! x"\n`)).toEqual([
      [0, 'D0', 0],
      [0, 'D1', 1],
      [15_000, 'D0', 1],
      [20_000, 'D0', 0],
      [20_000, 'D1', 'float'],
    ]);
  });

  it('takes vectors of one bit, and leaves wider ones, reals and texts out', () => {
    const text =
      '$timescale 100ps $end $var reg 1 a clk $end $var reg 8 b bus $end $var real 64 r volts $end $enddefinitions $end\n' +
      '#10 b1 a b10101010 b r1.5e3 r sidle r\n#25 b0 a';
    expect(changesIn(text)).toEqual([
      [1, 'clk', 1],
      [2, 'clk', 0],
    ]);
  });

  it('skips comments, however long', () => {
    expect(changesIn(`$comment ${'word '.repeat(1000)} $end\n${HEADER}$comment a b $end\n#1 1!`)).toEqual([
      [1_000, 'D0', 1],
    ]);
  });

  it.each([
    ['', '1: the header does not end; is it a VCD file? `$enddefinitions $end` is missing'],
    ['lines:\n  a: 1\n', '1: "lines:" in the header; is it a VCD file?'],
    ['$timescale 3 ns $end', '1: the timescale "3 ns"; write 1, 10 or 100, and s, ms, us, ns, ps or fs'],
    ['$enddefinitions $end', '1: the dump has no signals; is it a VCD file?'],
    ['\n$var wire one ! D0 $end', '2: a signal as "wire one !"; `$var wire 1 ! name $end`'],
    [`${HEADER}#5\n1#`, '8: a change of "#", which is no signal; the header has no $var for it'],
    [`${HEADER}#5\n#4\n`, '8: time goes back; times rise in a VCD file'],
    [`${HEADER}#99999999999999999999\n`, '7: the time "#99999999999999999999"; write a whole number, 104 days at most'],
    [`${HEADER}hello\n`, '7: "hello" among the changes; write a time (#1000) or a change (1!)'],
    ['$var wire 1 ! D0', '1: a section does not end; `$end` is missing'],
  ])('says what is wrong and where: %j', (text, fault) => expect(faultOf(text)).toBe(fault));

  it('reads any text, or says what is wrong with it', () => {
    const words = fc.constantFrom(
      '$var',
      '$end',
      'wire',
      '1',
      '!',
      'D0',
      '$enddefinitions',
      '#5',
      '1!',
      'b1',
      '$comment',
      '\n',
    );
    const noise = fc.oneof(words, fc.string({ maxLength: 8 }));
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 80 }), fc.boolean(), (parts, header) => {
        expect(faultOf((header ? HEADER : '') + parts.join(' '))).toMatch(/^(none|\d+: .+; .+)$/);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps nothing of what it has read', () => {
    function* endless(): Generator<{ text: string; number: number }> {
      yield { text: HEADER.replaceAll('\n', ' '), number: 1 };
      for (let i = 2; i < 200_000; i++) yield { text: `#${i} ${i % 2}!`, number: i };
    }
    let count = 0;
    for (const _ of readVcd(endless())) count++;
    expect(count).toBe(200_000);
  });

  it('refuses more signals than a capture has', () => {
    expect(faultOf('$var wire 1 ! a $end\n'.repeat(5000))).toBe('4097: too many signals; at most 4096');
  });
});
