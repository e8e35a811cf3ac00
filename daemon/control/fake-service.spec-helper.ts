// A service without driver, for the tests of whatever sits on top of one.

import { KernelError } from '../../kernel/errno.js';
import type { Level } from '../../kernel/gpio/driver.js';
import { Machine } from '../../kernel/machine.js';
import { ModelView } from '../model-view.js';
import type { ControlEvent, ControlListener, LineStatus, PressOptions, ReloadReport, Service } from './target.js';

/** The board of the example: button1 lights led1, button2 puts it out. Remembers what was asked of it. */
export class FakeService implements Service {
  readonly #listeners = new Set<ControlListener>();
  #end: (code: number) => void = () => undefined;
  readonly closed: Promise<number> = new Promise((settle) => {
    this.#end = settle;
  });
  /** Of a machine with two CPUs. */
  readonly machine = new Machine({ cpus: 2 });
  readonly model = new ModelView(this.machine);
  readonly presses: PressOptions[] = [];
  readonly stops: string[] = [];
  led: Level = 0;
  simulated = true;

  get listeners(): number {
    return this.#listeners.size;
  }

  emit(event: ControlEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Ends by itself, as when the chip went away. */
  fail(code: number): void {
    this.#end(code);
  }

  onProblem(): void {}

  onReload(): void {}

  /** What the next reload comes to. */
  report: ReloadReport = {
    ok: true,
    errors: [],
    sections: { lines: { added: ['led2'], changed: [], removed: [], kept: 3 } },
    restart: [],
    problems: [],
    durationNs: 2e6,
  };

  reload(): Promise<ReloadReport> {
    return Promise.resolve(this.report);
  }

  reconfigure(): Promise<ReloadReport> {
    return this.reload();
  }

  reloadRefused(errors: readonly string[]): ReloadReport {
    return { ...this.report, ok: false, errors };
  }

  status() {
    return {
      version: '0.0.0',
      pid: 1,
      config: '/etc/gpio-irqd/config.yaml',
      uptimeNs: 61e9,
      driver: 'sim',
      simulated: this.simulated,
      chip: { name: 'gpiochip0', label: 'pinctrl-bcm2835', lines: 54 },
      edges: { received: 3, lost: 0 },
      dropped: 0,
      leftOut: 0,
      handlerErrors: 0,
    };
  }

  lines(): LineStatus[] {
    const common = {
      activeLow: false,
      drive: 'push-pull',
      debounceNs: 0,
      rising: 0,
      falling: 0,
      lost: 0,
      dropped: 0,
    } as const;
    return [
      { ...common, name: 'button1', gpio: 17, direction: 'in', value: 0, edge: 'rising', bias: 'pull-up' },
      { ...common, name: 'button2', gpio: 18, direction: 'in', value: 0, edge: 'rising', bias: 'pull-up' },
      { ...common, name: 'led1', gpio: 4, direction: 'out', value: this.led, edge: 'none', bias: 'as-is' },
    ];
  }

  getLine(name: string): LineStatus {
    const line = this.lines().find((l) => l.name === name);
    if (line === undefined)
      throw new KernelError('ENOENT', `no line '${name}'`, { hint: 'gpio-irqctl lines lists them' });
    return line;
  }

  setLine(name: string, value: Level): void {
    if (this.getLine(name).direction === 'in') throw new KernelError('EPERM', `${name} is an input`);
    this.led = value;
    this.emit({ type: 'value', atNs: 2e9, line: name, value });
  }

  interrupts() {
    const text = '           CPU0       \n 49:          3  bcm2835 17 Edge      button1\n';
    return { text, interrupts: [{ irq: 49, hwirq: 17, chip: 'bcm2835', actions: ['button1'], counts: [3] }] };
  }

  press(name: string, options: PressOptions): Promise<void> {
    if (!this.simulated) throw new KernelError('ENOTSUP', `${name} is a real button`, { hint: 'press it' });
    if (this.getLine(name).direction === 'out') throw new KernelError('EINVAL', `${name} is not a button`);
    this.presses.push(options);
    this.emit({ type: 'edge', atNs: 1e9, line: name, edge: 'rising', lineSeqno: 1 });
    this.setLine('led1', name === 'button1' ? 1 : 0);
    return Promise.resolve();
  }

  subscribe(listener: ControlListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  trace(): string {
    return '          irq/49-button1 [000] 1.000000: irq_handler_entry\n';
  }

  traced(): number {
    return 1;
  }

  stop(reason: string): Promise<void> {
    this.stops.push(reason);
    this.#end(0);
    return Promise.resolve();
  }
}
