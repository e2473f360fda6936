/** A DNS server on loopback that answers what a test has told it, and is silent about the rest (RFC 1035 section 4). */
import { parseIpAddress } from "../../src/wire/ip/address.ts";

export const TYPE = { a: 1, aaaa: 28 } as const;
const HEADER_BYTES = 12;
const NAME_ERROR = 3;

interface Question {
  readonly name: string;
  readonly type: number;
}

export interface DnsAnswer {
  readonly addresses: readonly string[];
  readonly ttlS?: number;
}

type Answering = (question: Question) => DnsAnswer | "unknown" | "silent";

export class DnsServer {
  readonly questions: Question[] = [];
  /** Source ports of all questions. */
  readonly ports = new Set<number>();
  answer: Answering;
  #socket: Bun.udp.Socket<"buffer"> | undefined;

  private constructor(answer: Answering) {
    this.answer = answer;
  }

  static async open(answer: Answering): Promise<DnsServer> {
    const server = new DnsServer(answer);
    server.#socket = await Bun.udpSocket({
      hostname: "127.0.0.1",
      socket: {
        data: (socket, query, port, address) => {
          server.ports.add(port);
          const reply = server.#reply(query);
          if (reply) socket.send(reply, port, address);
        },
        error() {},
      },
    });
    return server;
  }

  get port(): number {
    return this.#socket!.port;
  }

  /** As `resolv.conf` names it, and Bun's resolver. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  asked(name: string): number {
    return this.questions.filter((question) => question.name === name).length;
  }

  [Symbol.dispose](): void {
    this.#socket?.close();
  }

  #reply(query: Buffer): Buffer | undefined {
    const { name, type, end } = readQuestion(query);
    this.questions.push({ name, type });
    const answer = this.answer({ name, type });
    if (answer === "silent") return undefined;
    const head = Buffer.from(query.subarray(0, end));
    head.writeUInt16BE(0x8180 | (answer === "unknown" ? NAME_ERROR : 0), 2);
    const records = answer === "unknown" ? [] : answer.addresses.map((text) => record(text, type, answer.ttlS ?? 60));
    const fitting = records.filter((bytes) => bytes !== undefined);
    head.writeUInt16BE(fitting.length, 6);
    head.writeUInt16BE(0, 8);
    head.writeUInt16BE(0, 10);
    return Buffer.concat([head, ...fitting]);
  }
}

function readQuestion(query: Buffer): Question & { end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join("."), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** Undefined when the address is of another type. */
function record(text: string, type: number, ttlS: number): Buffer | undefined {
  const { family, bytes } = parseIpAddress(text)!;
  if ((family === 4 ? TYPE.a : TYPE.aaaa) !== type) return undefined;
  const head = Buffer.from([0xc0, HEADER_BYTES, 0, type, 0, 1, 0, 0, 0, 0, 0, bytes.length]);
  head.writeUInt32BE(ttlS, 6);
  return Buffer.concat([head, bytes]);
}
