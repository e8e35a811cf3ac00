// Somebody between a daemon and its broker, who notes what the broker has confirmed: what neither side counts itself.
import { connect, createServer, type Server, type Socket } from 'node:net';
import mqttPacket, { type Packet } from 'mqtt-packet';

/** A port that leads to a broker. Packets of MQTT 5 and QoS 1 are what it understands. */
export class Witness {
  port = 0;
  /** Edges by their numbers on their line, each once, in the order in which the broker has confirmed them first. */
  readonly confirmed = new Set<number>();
  /** Messages on edges that were sent, those that were sent again too. */
  sent = 0;
  readonly #topic: string;
  readonly #brokerPort: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  /** @param topic of the events of one line */
  constructor(topic: string, brokerPort: number) {
    this.#topic = topic;
    this.#brokerPort = brokerPort;
  }

  async start(): Promise<void> {
    const server = createServer((near) => this.#connect(near));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
    this.#server = server;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server?.close();
  }

  #connect(near: Socket): void {
    const far = connect(this.#brokerPort, '127.0.0.1');
    /** Edges whose message waits for its confirmation, by the message's number. */
    const waiting = new Map<number, number>();
    this.#carry(near, far, (packet) => {
      if (packet.cmd !== 'publish' || packet.topic !== this.#topic || packet.messageId === undefined) return;
      this.sent++;
      waiting.set(packet.messageId, (JSON.parse(packet.payload.toString()) as { seqno: number }).seqno);
    });
    this.#carry(far, near, (packet) => {
      if (packet.cmd !== 'puback' || packet.messageId === undefined) return;
      const seqno = waiting.get(packet.messageId);
      if (seqno !== undefined && (packet.reasonCode ?? 0) < 0x80) this.confirmed.add(seqno);
    });
  }

  /** Hands on what comes, and looks at it; the end of one side is the end of the other, after all that it has sent. */
  #carry(from: Socket, to: Socket, look: (packet: Packet) => void): void {
    const parser = mqttPacket.parser({ protocolVersion: 5 });
    parser.on('packet', look);
    this.#sockets.add(from);
    from.on('data', (bytes) => {
      parser.parse(bytes);
      to.write(bytes);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.end();
    });
  }
}
