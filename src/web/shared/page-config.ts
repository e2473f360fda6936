/** What the server tells a page about itself, in a script that it puts into the head (http.md section 21). */

declare global {
  interface Window {
    __RTP2HTTPD_CONFIG__?: { readonly appPathPrefix?: string; readonly logLevel?: number };
  }
}

/** Of all paths on the server: empty, or begins with `/` and does not end in one. */
export const APP_PATH_PREFIX: string = window.__RTP2HTTPD_CONFIG__?.appPathPrefix ?? "";

/** 0 to 4, as the server logs; what the page writes to the console follows it. */
export const LOG_LEVEL: number = window.__RTP2HTTPD_CONFIG__?.logLevel ?? 1;
