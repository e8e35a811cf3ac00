// Fuzzing: it finds mistakes of handlers, shows the shortest scenario that has them, and finds none where there are none.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../config/load.js';
import { type Answer, irqd, NO_PARTS } from '../stage.spec-helper.js';
import { parseScenario } from './load.js';
import { BUSY_NS, randomSteps } from './random-steps.js';
import { shrink } from './shrink.js';
import { writeScenario } from './write.js';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
const PATIENT = 300_000;

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-fuzz-spec-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const fuzz = (...args: string[]): Promise<Answer> => irqd(NO_PARTS, 'fuzz', ...args);

/** A configuration with a handler module of one button. */
function handled(name: string, code: string): string {
  const handler = file(`${name}.mjs`, code);
  return file(
    `${name}.yaml`,
    `lines: { b: { gpio: 17, edge: both } }\ninterrupts: [{ line: b, handler: ${handler} }]\n`,
  );
}

/** The steps of a scenario that a run has printed. */
function stepsIn(out: string): number {
  return out.split('\n').filter((line) => line.startsWith('  - ')).length;
}

describe('gpio-irqd fuzz', () => {
  it.each([
    'scenarios/counter.yaml',
    'button-led.yaml',
    'scenarios/handlers.yaml',
    'ci/gpio-irqd.yaml',
    'debounce/delayed-work.yaml',
    'debounce/kernel.yaml',
    'debounce/timestamps.yaml',
  ])(
    'finds nothing wrong with %s, and says so in the same words each time',
    async (config) => {
      const args = ['--config', join(EXAMPLES, config), '--seed', '3', '--for', '200s'];
      const first = await fuzz(...args);
      expect(first.output).toMatch(/^10 random scenarios, 200s, \d+ edges: nothing failed\n$/);
      expect(await fuzz(...args)).toEqual(first);
    },
    PATIENT,
  );

  it(
    'finds a handler that fails now and then, with the shortest scenario in which it does',
    async () => {
      const config = handled(
        'third',
        'let n = 0;\nexport function topHalf() { if (++n === 3) throw new Error("the third edge"); return 1; }\n',
      );
      const { code, output } = await fuzz('--config', config, '--seed', '5');
      expect(code).toBe(1);
      expect(output).toContain('the third edge');
      expect(stepsIn(output)).toBeLessThanOrEqual(3);
      const again = await fuzz('--config', config, '--scenario', file('third.scenario.yaml', output));
      expect(again).toMatchObject({ code: 1, output: expect.stringContaining('the third edge') });
    },
    PATIENT,
  );

  it(
    'finds a handler that leaves its line disabled',
    async () => {
      const config = handled(
        'off',
        'export function topHalf(irq, dev) { dev.kernel.disableIrqNosync(irq); return 1; }\n',
      );
      const { code, output } = await fuzz('--config', config);
      expect(code).toBe(1);
      expect(output).toMatch(/# irq \d+ \(gpio-irqd, b\) is disabled 1 deep/);
      expect(stepsIn(output)).toBe(1);
    },
    PATIENT,
  );

  it(
    'finds a handler that keeps a lock',
    async () => {
      const config = handled(
        'lock',
        'let lock;\nexport function* threadFn(_irq, dev) {\n  lock ??= new dev.kernel.Spinlock("mine");\n' +
          '  yield* dev.kernel.spinLock(lock);\n  return 1;\n}\n',
      );
      const { code, output } = await fuzz('--config', config);
      expect(code).toBe(1);
      expect(stepsIn(output)).toBeLessThanOrEqual(2);
    },
    PATIENT,
  );

  it(
    'finds a top half that sleeps',
    async () => {
      const config = handled(
        'sleeps',
        'export function* topHalf(_irq, dev) {\n  yield* dev.kernel.msleep(5);\n  return 1;\n}\n',
      );
      const { code, output } = await fuzz('--config', config);
      expect(code).toBe(1);
      expect(output).toMatch(/# kernel: BUG: scheduling while atomic/);
    },
    PATIENT,
  );
});

describe('random scenarios', () => {
  const loaded = loadConfig(join(EXAMPLES, 'scenarios/counter.yaml'));
  if (!loaded.ok) throw new Error('the example is wrong');
  const { config } = loaded;

  it(
    'are written as files that are read as the same steps',
    () => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (seed) => {
          const steps = randomSteps(config, seed);
          const text = writeScenario({ name: 'a: "b"', seed, endNs: BUSY_NS }, steps, ['one', 'two\nthree']);
          const result = parseScenario(text, 'f.yaml', config);
          if (!result.ok) throw new Error(`${result.errors[0]?.message}\n${text}`);
          expect([...result.scenario.steps].map(({ place: _, ...step }) => step)).toEqual(steps);
          expect(result.scenario.seed).toBe(seed);
        }),
      );
    },
    PATIENT,
  );

  it('come in the order of time, each line let go of in the end', () => {
    const steps = randomSteps(config, 1);
    expect(steps.every(({ atNs }, i) => i === 0 || atNs >= (steps[i - 1]?.atNs ?? 0))).toBe(true);
    expect(randomSteps(config, 1)).toEqual(steps);
    expect(randomSteps(config, 2)).not.toEqual(steps);
  });

  it('shrink to what is needed, whatever that is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 1000 }),
        fc.array(fc.nat(20), { minLength: 1, maxLength: 3 }),
        async (seed, picks) => {
          const steps = randomSteps(config, seed);
          const needed = new Set(picks.map((pick) => steps[pick % steps.length]?.action));
          const short = await shrink(steps, async (some) => {
            const kept = new Set(some.map(({ action }) => action));
            return [...needed].every((action) => action !== undefined && kept.has(action));
          });
          expect(new Set(short.map(({ action }) => action))).toEqual(needed);
        },
      ),
      { numRuns: 50 },
    );
  });
});
