/** The event stream: opened, watched, and opened again whenever it is lost (status.md sections 1 and 2). */
import { parseStatusEvent, type ReadStatusEvent } from "../../wire/status/event.ts";

const RECONNECT_MS = 1000;

/** The server sends at least one event a second: a stream that is silent for this time is dead, even if nobody has said so. */
const STREAM_SILENCE_MS = 8000;

/** Time without an event after which the page says that the connection is lost. It goes on trying. */
const UNREACHABLE_AFTER_MS = 15_000;

/**
 * - `connecting`: since the page was opened, no event yet
 * - `connected`: events come
 * - `reconnecting`: the stream was lost a moment ago
 * - `disconnected`: it was lost, and several attempts have failed
 * - `misdirected`: the server does not know itself by the name that this page was opened with (http.md section 25)
 */
export type ConnectionState = "connecting" | "connected" | "reconnecting" | "disconnected" | "misdirected";

const MISDIRECTED = 421;
/** The server answers at once. */
const REASON_TIMEOUT_MS = 5000;

interface StreamListener {
  onEvent(event: ReadStatusEvent): void;
  onState(state: ConnectionState): void;
}

export class StatusStream {
  readonly #url: string;
  readonly #listener: StreamListener;
  #state: ConnectionState = "connecting";
  #source: EventSource | undefined;
  #lastEventMs = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string, listener: StreamListener) {
    this.#url = url;
    this.#listener = listener;
  }

  open(): void {
    const source = new EventSource(this.#url);
    this.#source = source;
    source.onmessage = ({ data }: MessageEvent<string>) => this.#take(data);
    // EventSource would connect again by itself after some errors but not after all, and not after one second.
    source.onerror = () => {
      // It gives up at once only where there was an answer, which it does not show.
      if (source.readyState === EventSource.CLOSED) void this.#refused(source);
      else this.#lost();
    };
    this.#wait(STREAM_SILENCE_MS, () => this.#lost());
  }

  close(): void {
    this.#source?.close();
    this.#source = undefined;
    clearTimeout(this.#timer);
  }

  #take(data: string): void {
    const event = parseStatusEvent(data);
    if (event === undefined) return;
    this.#lastEventMs = performance.now();
    this.#wait(STREAM_SILENCE_MS, () => this.#lost());
    this.#enter("connected");
    this.#listener.onEvent(event);
  }

  /** Asks once more, by a request that tells the status. */
  async #refused(source: EventSource): Promise<void> {
    clearTimeout(this.#timer);
    const signal = AbortSignal.timeout(REASON_TIMEOUT_MS);
    const answer = await fetch(this.#url, { method: "HEAD", signal }).catch(() => undefined);
    if (this.#source === source) this.#lost(answer?.status === MISDIRECTED);
  }

  #lost(isMisdirected = false): void {
    this.#source?.close();
    const isReachable = performance.now() - this.#lastEventMs < UNREACHABLE_AFTER_MS;
    this.#enter(isMisdirected ? "misdirected" : isReachable ? "reconnecting" : "disconnected");
    this.#wait(RECONNECT_MS, () => this.open());
  }

  #enter(state: ConnectionState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#listener.onState(state);
  }

  #wait(ms: number, action: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(action, ms);
  }
}
