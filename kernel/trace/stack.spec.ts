import { describe, expect, it } from 'vitest';
import { userFrames } from './stack.js';

const ROOT = decodeURI(import.meta.url)
  .replace(/^file:\/\//, '')
  .replace(/kernel\/trace\/.*/, '');

describe('userFrames', () => {
  it('shows the frames outside of the model, wherever the user keeps them', () => {
    const users = [
      '    at topHalf (file:///home/me/kernel/handlers/button.js:3:9)',
      '    at /home/me/my%20house/led.ts:4:1',
      `    at test (${ROOT}kernel/irq/manage.spec.ts:1:1)`,
    ];
    const own = [
      `    at Cpu.run (${ROOT}kernel/sched/cpu.ts:1:1)`,
      `    at file://${encodeURI(ROOT)}sim-fallback/bcm2835/gpio.js:1:1`,
      '    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
    ];
    expect(userFrames(['Error: x', own[0], users[0], own[1], users[1], users[2], own[2]].join('\n'))).toEqual(users);
  });

  it('shows all frames rather than none', () => {
    const own = `    at Cpu.run (${ROOT}kernel/sched/cpu.ts:1:1)`;
    expect(userFrames(`Error: x\n${own}`)).toEqual([own]);
    expect(userFrames(undefined)).toEqual([]);
  });

  it('takes a path for what it is, whatever stands in it', () => {
    const frame = '    at handler (/home/me/100%/led.cjs:4:1)';
    expect(userFrames(`Error: x\n${frame}`)).toEqual([frame]);
  });
});
