/** What an RTSP client sends, read strictly and without the program's own parser, so that its mistakes are found out. */

export interface ClientRequest {
  /** Number of the connection it came on, from 1. */
  readonly connection: number;
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  /** The head as it came, with the empty line. */
  readonly raw: string;
}

export interface InputParent {
  request(request: ClientRequest): void;
  /** The head of a response to a request of the server. */
  response(raw: string): void;
  /** The client has sent what RFC 2326 does not allow. */
  violated(what: string): void;
}

const HEAD_END = "\r\n\r\n";
const REQUEST_LINE = /^([A-Z_]+) (\*|rtsp:\/\/[!-~\x80-\xff]+) RTSP\/1\.0$/;
const RESPONSE_LINE = /^RTSP\/1\.0 \d{3} /;
const HEADER_LINE = /^([!-9;-~]+): ([!-~\x80-\xff](?:[ -~\x80-\xff]*[!-~\x80-\xff])?)$/;

export class ClientInput {
  readonly #connection: number;
  readonly #parent: InputParent;
  #text = "";

  constructor(connection: number, parent: InputParent) {
    this.#connection = connection;
    this.#parent = parent;
  }

  push(chunk: Uint8Array): void {
    this.#text += Buffer.from(chunk).toString("latin1");
    for (let end = this.#text.indexOf(HEAD_END); end >= 0; end = this.#text.indexOf(HEAD_END)) {
      const raw = this.#text.slice(0, end + HEAD_END.length);
      this.#text = this.#text.slice(raw.length);
      this.#takeHead(raw);
    }
  }

  #takeHead(raw: string): void {
    const [startLine = "", ...lines] = raw.slice(0, -HEAD_END.length).split("\r\n");
    const headers = new Headers();
    for (const line of lines) {
      const [, name, value] = HEADER_LINE.exec(line) ?? [];
      if (name === undefined || value === undefined) this.#parent.violated(`not a header line: ${line}`);
      else if (headers.has(name)) this.#parent.violated(`header sent twice: ${line}`);
      else headers.set(name, value);
    }
    if (RESPONSE_LINE.test(startLine)) this.#parent.response(raw);
    else this.#takeRequest(startLine, headers, raw);
  }

  #takeRequest(startLine: string, headers: Headers, raw: string): void {
    const [, method, url] = REQUEST_LINE.exec(startLine) ?? [];
    if (method === undefined || url === undefined) {
      this.#parent.violated(`not a request line: ${startLine}`);
      return;
    }
    if (!/^\d+$/.test(headers.get("cseq") ?? "")) this.#parent.violated(`${method} without CSeq`);
    if (headers.has("content-length")) this.#parent.violated(`${method} with a body`);
    this.#parent.request({ connection: this.#connection, method, url, headers, raw });
  }
}
