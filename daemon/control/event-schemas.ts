// The schemas of events, one for each type.

import { count, knownCount, list, objectOf, ref, type Schema, text, word } from './answer-schema.js';
import { EVENT_TYPES, type GapEvent } from './events.js';
import type { ControlEvent } from './target.js';

type EventOf<T extends ControlEvent['type']> = Extract<ControlEvent, { type: T }>;
type PhaseOf<T extends ControlEvent['type'], P extends string> = Extract<EventOf<T>, { phase: P }>;

const atNs = count('when, in ns of CLOCK_MONOTONIC');
const line = text('name of the line');
const interrupt = text('where: name of the interrupt');

function type(value: string): Schema {
  return { const: value };
}

/** By type; where a type has phases, one for each. */
const EVENTS: { readonly [T in ControlEvent['type']]: readonly Schema[] } = {
  edge: [
    objectOf<EventOf<'edge'>>(
      'An edge.',
      {
        type: type('edge'),
        atNs,
        line,
        edge: word(
          ['rising', 'falling'],
          'as the line has it: of one that is active low, the wire’s the other way round',
        ),
        lineSeqno: count('the kernel’s number of the edge on its line; 0 when the driver has none'),
        time: text('when, by the wall clock: RFC 3339, UTC, ms; with `event_clock: realtime`'),
      },
      { time: true },
    ),
  ],
  value: [
    objectOf<EventOf<'value'>>('An output was set, by an action or through the API.', {
      type: type('value'),
      atNs,
      line,
      value: word([0, 1], 'logical level'),
    }),
  ],
  log: [
    objectOf<EventOf<'log'>>('What a `log` action, a handler module or a program wrote.', {
      type: type('log'),
      atNs,
      interrupt,
      text: text('what was written'),
    }),
  ],
  lost: [
    objectOf<EventOf<'lost'>>('Edges were lost before they were read.', {
      type: type('lost'),
      atNs,
      line,
      count: count('how many'),
    }),
  ],
  dropped: [
    objectOf<EventOf<'dropped'>>('Edges whose top half ran, and for whose thread or work there was no room.', {
      type: type('dropped'),
      atNs,
      line,
      count: count('how many'),
    }),
  ],
  limited: [
    objectOf<EventOf<'limited'>>('Actions that were left out, since there were more than their limit allows.', {
      type: type('limited'),
      atNs,
      name: text('name of the interrupt, the chord or the trigger'),
      count: count('how many'),
    }),
  ],
  press: [
    objectOf<EventOf<'press'>>('A button was pressed in a way that the configuration looks for.', {
      type: type('press'),
      atNs,
      line: text('name of the line; of a chord, its own'),
      pattern: text('how: single, double, long, hold, release, chord'),
      count: count('number of the repetition while it is held, from 1'),
    }),
  ],
  trigger: [
    objectOf<EventOf<'trigger'>>('A trigger has come.', {
      type: type('trigger'),
      atNs,
      trigger: text('its name'),
      by: word(['schedule', 'hook', 'mqtt'], 'what it is set off by'),
    }),
  ],
  storm: [
    objectOf<PhaseOf<'storm', 'begins'>>('A line has more edges than its storm guard allows.', {
      type: type('storm'),
      atNs,
      line,
      phase: type('begins'),
    }),
    objectOf<PhaseOf<'storm', 'ends'>>('A storm is over.', {
      type: type('storm'),
      atNs,
      line,
      phase: type('ends'),
      throttles: count('how often the line was disabled'),
      throttledNs: count('for how long in all, in ns'),
      leftOut: count('edges that were left out meanwhile'),
    }),
  ],
  chip: [
    objectOf<PhaseOf<'chip', 'gone'>>(
      'The chip is gone, with all lines; it is waited for.',
      {
        type: type('chip'),
        atNs,
        chip: text('what the configuration calls it; absent for the chip of lines that name none'),
        phase: type('gone'),
        message: text('how it was noticed'),
      },
      { chip: true },
    ),
    objectOf<PhaseOf<'chip', 'back'>>(
      'The chip is back.',
      {
        type: type('chip'),
        atNs,
        chip: text('what the configuration calls it; absent for the chip of lines that name none'),
        phase: type('back'),
        name: text('its name now'),
      },
      { chip: true },
    ),
  ],
  line: [
    objectOf<PhaseOf<'line', 'waiting'>>('Somebody else has a line; it is taken when it is free.', {
      type: type('line'),
      atNs,
      line,
      phase: type('waiting'),
      waitingFor: text('who has it'),
    }),
    objectOf<PhaseOf<'line', 'held'>>('A line that was waited for is held.', {
      type: type('line'),
      atNs,
      line,
      phase: type('held'),
    }),
  ],
  reload: [
    objectOf<EventOf<'reload'>>('The configuration was read anew.', {
      type: type('reload'),
      atNs,
      ok: { type: 'boolean', description: 'false when the old one goes on' },
      changes: list({ type: 'string' }, 'what was touched, e.g. `lines: +led2 -led1`'),
      errors: list({ type: 'string' }, 'why it was refused'),
    }),
  ],
  mqtt: [
    objectOf<PhaseOf<'mqtt', 'connected'>>('The broker is there.', {
      type: type('mqtt'),
      atNs,
      phase: type('connected'),
      broker: text('its address'),
    }),
    objectOf<PhaseOf<'mqtt', 'disconnected'>>('The broker is not there any more; it is tried again.', {
      type: type('mqtt'),
      atNs,
      phase: type('disconnected'),
      reason: text('why'),
    }),
    objectOf<PhaseOf<'mqtt', 'dropped'>>('Messages were given up: more would have waited for the broker than may.', {
      type: type('mqtt'),
      atNs,
      phase: type('dropped'),
      count: count('how many'),
    }),
    objectOf<PhaseOf<'mqtt', 'refused'>>('The broker would not take something.', {
      type: type('mqtt'),
      atNs,
      phase: type('refused'),
      what: text('a message or a subscription'),
      reason: text('why'),
    }),
  ],
  error: [
    objectOf<EventOf<'error'>>(
      'A handler threw or broke a rule of its context, or an action failed.',
      { type: type('error'), atNs, interrupt, message: text('what went wrong'), stack: text('where in the code') },
      { stack: true },
    ),
  ],
};

const gap: Schema = objectOf<GapEvent>('Events that a watcher did not get.', {
  type: type('gap'),
  missed: knownCount('how many, of all types; `unknown` over a restart, and when nobody had watched for a while'),
});

/** `ControlEvent`, and each of its types under its own name. */
export function eventSchemas(): Record<string, Schema> {
  const named: Record<string, Schema> = {};
  for (const name of Object.values(EVENT_TYPES)) {
    for (const [i, schema] of EVENTS[name].entries()) {
      const phase = EVENTS[name].length === 1 ? '' : `Phase${i + 1}`;
      named[`${name[0]?.toUpperCase()}${name.slice(1)}Event${phase}`] = schema;
    }
  }
  named.GapEvent = gap;
  return { ...named, ControlEvent: { oneOf: Object.keys(named).map(ref), description: 'The data of an event.' } };
}
