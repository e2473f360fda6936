/** A channel with its group and its FCC server, on the real clock. */
import { FccChannel, FccGroup } from "./fcc-channel.ts";
import { FccServer, type FccServerOptions } from "./fcc-server.ts";
import { freeUdpPort, uniqueGroup } from "./free-port.ts";

const STEP_MS = 2;
const RATE = 8_000_000;
/** A key frame every two seconds, which is what makes channel changes slow. */
const KEY_FRAME_EVERY = 1520;
/** So long it has been on the air: half a second behind a key frame. */
const ON_AIR_MS = 60_500;
const JOIN_DELAY_MS = 50;

export const FCC_STREAM_ID = 9;
export const FCC_ANSWER_AFTER_MS = 5;

export class FccService {
  readonly server: FccServer;
  /** `239.1.2.3:5000` */
  readonly address: string;
  readonly #group: FccGroup;
  readonly #timer: Timer;

  private constructor(channel: FccChannel, group: FccGroup, address: string, options: Partial<FccServerOptions>) {
    this.address = address;
    this.#group = group;
    this.server = new FccServer({ dialect: "telecom", answerAfterMs: FCC_ANSWER_AFTER_MS, ...options, channel });
    this.#timer = setInterval(() => {
      const now = performance.now();
      group.step(now);
      this.server.step(now);
    }, STEP_MS);
  }

  static async open(options: Partial<FccServerOptions> = {}): Promise<FccService> {
    const channel = new FccChannel({
      streamId: FCC_STREAM_ID,
      bitsPerSecond: RATE,
      keyFrameEvery: KEY_FRAME_EVERY,
      startedAt: performance.now() - ON_AIR_MS,
    });
    const where = { group: uniqueGroup(), port: await freeUdpPort() };
    const group = await FccGroup.open(channel, { ...where, joinDelayMs: JOIN_DELAY_MS });
    return new FccService(channel, group, `${where.group}:${where.port}`, options);
  }

  /** Path on the program's server. */
  path(query = `fcc=${this.server.fcc}`): string {
    return `/rtp/${this.address}${query && `?${query}`}`;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#group.close();
    this.server.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
