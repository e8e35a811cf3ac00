// A message to the broker, its limits, and what may stand in a topic.

import { KernelError } from '../../kernel/errno.js';

/** How surely a message arrives: at most once, at least once, exactly once. */
export type Qos = 0 | 1 | 2;

/** A message to the broker. */
export interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly qos: Qos;
  /** The broker keeps it and hands it to whoever subscribes later. */
  readonly retain: boolean;
}

/** Longest topic, in bytes of UTF-8; the protocol allows 65,535. */
export const MAX_TOPIC_BYTES = 1024;
/** Longest payload sent, in bytes of UTF-8. */
export const MAX_PAYLOAD_BYTES = 64 * 1024;

/** Why a topic cannot be published to; `undefined` when it can. */
export function topicFault(topic: string): string | undefined {
  if (topic === '') return 'it is empty';
  if (/[+#]/.test(topic)) return 'it has a wildcard (+ or #)';
  return textFault(topic);
}

/** Why a topic filter cannot be subscribed to; `undefined` when it can. */
export function filterFault(filter: string): string | undefined {
  if (filter === '') return 'it is empty';
  const levels = filter.split('/');
  const wrong = levels.some((level) => level.length > 1 && /[+#]/.test(level));
  if (wrong) return 'a wildcard (+ or #) stands for a whole level: a/+/b, a/#';
  if (levels.slice(0, -1).includes('#')) return '# stands for all that follows, so it comes last';
  return textFault(filter);
}

function textFault(text: string): string | undefined {
  if (/\p{Cc}/u.test(text)) return 'it has a control character';
  if (/\p{Cs}/u.test(text)) return 'it is no well-formed Unicode text';
  return Buffer.byteLength(text) > MAX_TOPIC_BYTES ? `it is longer than ${MAX_TOPIC_BYTES} bytes` : undefined;
}

/** Whether a topic is one of those that a filter means. As in the protocol, wildcards do not mean topics that begin with $. */
export function matches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false;
  const wanted = filter.split('/');
  const levels = topic.split('/');
  for (const [i, level] of wanted.entries()) {
    if (level === '#') return true;
    if (i >= levels.length || (level !== '+' && level !== levels[i])) return false;
  }
  return wanted.length === levels.length;
}

/** @throws KernelError `EINVAL` for a topic that is none, `EOVERFLOW` for a payload that is too long */
export function checkMessage({ topic, payload }: Message): void {
  const fault = topicFault(topic);
  if (fault !== undefined) {
    throw new KernelError('EINVAL', `'${topic.slice(0, 80)}' is no topic to publish to: ${fault}`, { subject: topic });
  }
  const size = Buffer.byteLength(payload);
  if (size > MAX_PAYLOAD_BYTES) {
    const hint = `at most ${MAX_PAYLOAD_BYTES} bytes are sent`;
    throw new KernelError('EOVERFLOW', `a payload of ${size} bytes for ${topic} is too long`, { subject: topic, hint });
  }
}
