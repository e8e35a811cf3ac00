// What a daemon with an older configuration has left at the broker: states of lines and parts of the device that are no more.

import type { Component, Components } from './discovery.js';
import type { Message } from './message.js';
import type { Topics } from './topics.js';

const PLATFORMS: readonly unknown[] = ['switch', 'light', 'binary_sensor', 'event', 'device_automation'];
/** Most components that are read from a message; a Pi has fewer lines. */
const MAX_COMPONENTS = 1024;

/** Filter of the states of all lines, those of older configurations too. */
export function stateFilter(topics: Topics): string {
  return topics.state('+');
}

/** The message that takes a state away. */
export function stateRemoval(topic: string): Message {
  return { topic, payload: '', qos: 1, retain: true };
}

/** Whether a retained message is a state of a line that there is no more. @param followed topics of the states that there are */
export function isLeftover(topic: string, payload: Uint8Array, topics: Topics, followed: ReadonlySet<string>): boolean {
  const start = topics.state('').slice(0, -'/state'.length);
  return payload.length > 0 && topic.startsWith(start) && topic.endsWith('/state') && !followed.has(topic);
}

/** The components of an earlier message of the device; none for whatever else the payload is. */
export function componentsIn(payload: Uint8Array): Components {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    return {};
  }
  const components = isObject(parsed) ? parsed.components : undefined;
  if (!isObject(components)) return {};
  return Object.fromEntries(Object.entries(components).slice(0, MAX_COMPONENTS).filter(isComponent));
}

/** Those of `before` that are not in `now`. */
export function goneFrom(before: Components, now: Components): Components {
  return Object.fromEntries(
    Object.entries(before).filter(([id, { platform }]) => now[id] === undefined || now[id].platform !== platform),
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isComponent(entry: [string, unknown]): entry is [string, Component] {
  return isObject(entry[1]) && PLATFORMS.includes(entry[1].platform);
}
