// The topics of one daemon.

/** All topics of a daemon, under one that is its own. */
export class Topics {
  readonly base: string;
  /** `online` or, told by the broker itself when the daemon is gone, `offline`; retained. */
  readonly availability: string;
  /** What went wrong with a command. */
  readonly errors: string;
  /** Commands to any line. */
  readonly anyCommand: string;

  constructor(base: string) {
    this.base = base;
    this.availability = `${base}/status`;
    this.errors = `${base}/error`;
    this.anyCommand = `${base}/line/+/set`;
  }

  /** Whether a line is `ON` or `OFF`; retained. */
  state(line: string): string {
    return `${this.base}/line/${line}/state`;
  }

  /** Edges of a line, one message each. */
  event(line: string): string {
    return `${this.base}/line/${line}/event`;
  }

  /** Commands to an output. */
  command(line: string): string {
    return `${this.base}/line/${line}/set`;
  }

  /** The line that a topic commands; `undefined` when it is no such topic. */
  commanded(topic: string): string | undefined {
    const start = `${this.base}/line/`;
    if (!topic.startsWith(start) || !topic.endsWith('/set')) return undefined;
    const line = topic.slice(start.length, -'/set'.length);
    return line === '' || line.includes('/') ? undefined : line;
  }
}
