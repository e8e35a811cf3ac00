// The schemas of the answers of the API, by name.

import type { TaskInfo } from '../../kernel/index.js';
import type { MqttStatus } from '../mqtt/port.js';
import { count, flag, knownCount, list, objectOf, ref, type Schema, text, word } from './answer-schema.js';
import { CONTROL_ERRORS, type ControlErrorBody } from './errors.js';
import { eventSchemas } from './event-schemas.js';
import type { IrqStatus, SoftirqStatus, WorkqueueStatus } from './model-target.js';
import type { ControlCounts } from './server.js';
import type {
  ChipStatus,
  DaemonStatus,
  InterruptStatus,
  InterruptsStatus,
  LineStatus,
  LinesStatus,
  ParkedStatus,
  PressOptions,
  ReloadReport,
  SectionReport,
  StormStatus,
} from './target.js';

const strings = (description: string): Schema => list({ type: 'string' }, description);
const PARKED = 'lines that are held though the configuration has them no more; absent when there are none';
const perCpu = list({ type: 'integer', minimum: 0 }, 'by CPU');

const chipInfo = {
  name: text('as in /dev: `gpiochip0`'),
  label: text('what its driver calls it: `pinctrl-bcm2835`'),
  lines: count('how many it has'),
};

const daemon = {
  DaemonStatus: objectOf<DaemonStatus & { control: ControlCounts }>(
    'The daemon as a whole.',
    {
      version: text('of the program'),
      pid: count('of its process'),
      config: text('the configuration file, absolute'),
      uptimeNs: count('since its start, in ns'),
      driver: text('`chardev`, `libgpiod`, `sysfs` or `sim`'),
      simulated: flag('true when nothing here is real'),
      chip: objectOf<DaemonStatus['chip']>('The file’s own chip.', chipInfo),
      chips: list(ref('ChipStatus'), 'all chips, the file’s own first'),
      problem: text('which lines are not held, and why; absent when all are'),
      parked: list(ref('ParkedStatus'), PARKED),
      edges: objectOf<DaemonStatus['edges']>('Edges of all lines.', {
        received: count('that reached the model'),
        lost: knownCount('that the kernel dropped before they were read'),
      }),
      dropped: count('edges whose top half ran, and for whose thread or work there was no room'),
      leftOut: count('edges that were left out while the storm guard had their line disabled'),
      handlerErrors: count('handlers that threw or broke a rule, and actions that failed'),
      limited: count('actions that were left out because there were more than their limit allows'),
      reloads: objectOf<NonNullable<DaemonStatus['reloads']>>('Reloads of the configuration.', {
        ok: count('that were carried out'),
        failed: count('that left the old configuration in effect'),
      }),
      mqtt: ref('MqttStatus'),
      control: objectOf<ControlCounts>('What this API counts.', {
        watching: count('clients that watch events'),
        dropped: count('watchers that were cut off because they did not read'),
        refused: count('connections that were closed because there were too many'),
        requests: count('requests so far'),
      }),
    },
    { problem: true, chips: true, parked: true, mqtt: true, limited: true, reloads: true },
  ),
  MqttStatus: objectOf<MqttStatus>(
    'The connection to the broker, and what became of the messages since the start.',
    {
      broker: text('its address'),
      connected: flag('there is a connection'),
      version: word(['5', '3.1.1'], 'of the protocol; absent before the first connection'),
      clientId: text('name of the daemon at the broker'),
      baseTopic: text('what its topics begin with'),
      problem: text('why there is no connection; absent while there is one'),
      queued: count('messages that wait'),
      unconfirmed: count('messages that were sent and are not confirmed'),
      published: count('messages that the broker has taken'),
      dropped: count('messages that were given up, the oldest first'),
      superseded: count('states that a newer one of the same line has taken the place of before they were sent'),
      refused: count('messages and subscriptions that the broker would not take'),
      received: count('messages that came'),
      flooded: count('of those, left out because more came than are handled'),
      commands: count('commands to outputs that were carried out'),
      commandsRefused: count('commands that were not'),
      reconnects: count('connections after the first'),
    },
    { version: true, problem: true },
  ),
  ChipStatus: objectOf<ChipStatus>(
    'One chip of the configuration.',
    {
      ...chipInfo,
      id: text('what the configuration calls it; `chip` for the file’s own'),
      driver: text('as in DaemonStatus'),
      problem: text('as in DaemonStatus, of this chip alone'),
    },
    { problem: true },
  ),
  LineStatus: objectOf<LineStatus>(
    'One line of the configuration, as it is now.',
    {
      name: text('as the configuration has it'),
      chip: text('id of its chip; absent for the file’s own'),
      gpio: count('offset of the line on its chip'),
      direction: word(['in', 'out'], 'direction'),
      value: word([0, 1, 'unknown'], 'logical level; unknown while the line is not held'),
      waitingFor: text('why the line is not held; absent when it is'),
      activeLow: flag('a low wire is 1'),
      edge: word(['none', 'rising', 'falling', 'both'], 'which edges are its interrupt'),
      bias: word(['as-is', 'disabled', 'pull-up', 'pull-down'], 'pull'),
      drive: word(['push-pull', 'open-drain', 'open-source'], 'how an output is driven'),
      debounceNs: count('in ns; 0 for none'),
      rising: count('edges that reached the model'),
      falling: count('edges that reached the model'),
      lost: knownCount('edges that were lost before they were read'),
      dropped: count('edges whose top half ran, and for whose thread or work there was no room'),
      storm: ref('StormStatus'),
      lastEdgeNs: count('stamp of the newest edge, in ns of CLOCK_MONOTONIC; absent before the first'),
      lineSeqno: count('the kernel’s number of the newest edge'),
    },
    { chip: true, waitingFor: true, storm: true, lastEdgeNs: true, lineSeqno: true },
  ),
  StormStatus: objectOf<StormStatus>('What the storm guard of a line has seen.', {
    throttled: flag('it has the line disabled now'),
    storms: count('so far'),
    throttles: count('times that it disabled the line'),
    throttledNs: count('for how long in all, in ns'),
    leftOut: count('edges that were left out meanwhile'),
  }),
  Lines: objectOf<LinesStatus>(
    'Every line.',
    { lines: list(ref('LineStatus')), parked: list(ref('ParkedStatus'), PARKED) },
    { parked: true },
  ),
  ParkedStatus: objectOf<ParkedStatus>(
    'A line that a reload has removed, and that is an input without edges until the others of its request are let go too.',
    {
      gpio: count('offset of the line on its chip'),
      chip: text('id of its chip; absent for the file’s own'),
      name: text('what it was called; absent when it was removed before the daemon was started'),
      until: list(text('name of a line that has to be let go first')),
    },
    { chip: true, name: true },
  ),
  Pressed: objectOf<PressOptions & { pressed: string }>('What was pressed, and how.', {
    pressed: text('name of the button'),
    forNs: count('how long, in ns'),
    bounce: flag('whether its contact bounced'),
  }),
  Text: objectOf<{ text: string }>('A text for people.', { text: text('with line ends') }),
};

const commands = {
  ReloadReport: objectOf<ReloadReport>('What a reload came to.', {
    ok: flag('always true here; a configuration that is refused is an error'),
    errors: strings('empty here'),
    sections: {
      type: 'object',
      additionalProperties: ref('SectionReport'),
      description: 'by section of the configuration',
    },
    restart: list(
      objectOf<ReloadReport['restart'][number]>('A key.', { key: text('its name'), why: text('the reason') }),
      'keys whose change takes effect only when the daemon is started anew',
    ),
    problems: strings('what is not as the configuration has it although it was accepted'),
    durationNs: count('how long it took, in ns'),
  }),
  SectionReport: objectOf<SectionReport>('What a reload did to one section.', {
    added: strings('names'),
    changed: strings('names'),
    removed: strings('names'),
    kept: count('entries that are as they were, and were not touched'),
  }),
  Hooks: objectOf<{ hooks: unknown }>('The hooks of the configuration.', { hooks: strings('their names') }),
  Hooked: objectOf<{ hook: string }>('The hook whose actions were queued.', { hook: text('its name') }),
};

const model = {
  InterruptsStatus: objectOf<InterruptsStatus>('All interrupts.', {
    text: text('/proc/interrupts'),
    interrupts: list(ref('InterruptStatus')),
  }),
  InterruptStatus: objectOf<InterruptStatus>('One interrupt.', {
    irq: count('its number'),
    hwirq: count('its number on its chip'),
    chip: text('name of the irq_chip'),
    actions: strings('names of its actions, in the order in which they run'),
    counts: perCpu,
  }),
  IrqStatus: objectOf<IrqStatus>('One interrupt line of the model, in all that is known of it.', {
    irq: count('its number'),
    hwirq: count('its number on its chip'),
    chip: text('name of the irq_chip'),
    type: word(['edge', 'level'], 'what triggers it'),
    actions: strings('names of its actions, in the order in which they run'),
    chained: flag('it has none: it hands on the interrupts of other lines'),
    counts: perCpu,
    enabled: flag('depth is 0'),
    state: word(['inactive', 'pending', 'active', 'active+pending', 'disabled'], 'what its interrupt is at'),
    depth: count('disabled as often as this'),
    throttled: flag('its storm guard has disabled it'),
    heldHere: count('of depth, through this API'),
    pending: flag('an interrupt came while it was disabled, and is replayed when it is enabled'),
    affinity: text('CPUs that it may interrupt, as a list'),
    effectiveAffinity: text('CPUs that it does interrupt, as a list'),
    unhandled: count('interrupts that no handler wanted, of the last 100,000'),
  }),
  FileAnswer: {
    description: 'A file, or a directory.',
    oneOf: [
      objectOf<{ path: string; text: string }>('A file.', { path: text('of it'), text: text('what it has') }),
      objectOf<{ path: string; entries: unknown }>('A directory.', {
        path: text('of it'),
        entries: list(
          objectOf<{ name: string; directory: boolean; mode: number }>('An entry.', {
            name: text('of it'),
            directory: flag('it is one'),
            mode: count('permissions, as in stat(2)'),
          }),
        ),
      }),
    ],
  },
  Written: objectOf<{ path: string }>('The file that was written.', { path: text('of it') }),
  Softirqs: objectOf<{ text: string; softirqs: unknown }>('The softirqs.', {
    text: text('/proc/softirqs'),
    softirqs: list(objectOf<SoftirqStatus>('A vector.', { name: text('of it'), counts: perCpu })),
  }),
  Workqueues: objectOf<{ workqueues: unknown }>('The workqueues.', {
    workqueues: list(
      objectOf<WorkqueueStatus>('A workqueue; counts are of all its parts.', {
        name: text('of it'),
        flags: strings('without the prefix: `UNBOUND`, `HIGHPRI` …'),
        maxActive: count('items that may run at once'),
        active: count('items that run or are about to'),
        waiting: count('items beyond max_active'),
        started: count('so far'),
        completed: count('so far'),
      }),
    ),
  }),
  Tasks: objectOf<{ text: string; tasks: unknown }>('The tasks.', {
    text: text('as ps shows them'),
    tasks: list(
      objectOf<TaskInfo>('A task.', {
        pid: count('its number'),
        comm: text('its name, up to 15 characters'),
        policy: text('how it is scheduled'),
        rtPriority: count('1 to 99 under SCHED_FIFO, else 0'),
        nice: { type: 'integer', minimum: -20, maximum: 19, description: 'without meaning under SCHED_FIFO' },
        cpu: count('that it runs on, or ran on last'),
        cpusAllowed: count('CPUs that it may run on, as a bit mask'),
        state: word(['R', 'S', 'D', 'I', 'P', 'X'], 'as ps has it'),
        sumExecNs: count('time on a CPU, in ns'),
      }),
    ),
  }),
};

/** What went wrong: stable codes of the API, and the kernel’s. */
const error = objectOf<ControlErrorBody>(
  'Every answer that is not a success.',
  {
    code: {
      type: 'string',
      description: `One of the API’s own codes (${Object.keys(CONTROL_ERRORS).join(', ')}), or the kernel’s: \`ENOENT\`, \`EBUSY\` …`,
    },
    message: text('what is wrong'),
    hint: text('what can be done about it'),
  },
  { hint: true },
);

/** Every schema, by its name in the documentation. */
export function answerSchemas(): Readonly<Record<string, Schema>> {
  return { ...daemon, ...commands, ...model, ...eventSchemas(), ControlError: error };
}
