/** What browsers are given: two pages, and the assets that they ask for. */

export type PageName = "status" | "player";
/** Content codings in which assets are kept, the best for us first (RFC 9110 section 8.4.1). */
export const CODINGS = ["br", "gzip", "identity"] as const;
export type Coding = (typeof CODINGS)[number];

export interface Page {
  /** With everything but what depends on the settings. */
  readonly html: string;
  /** The scripts that stand in it. */
  readonly scripts: readonly string[];
}

export interface Asset {
  /** Content-Type. */
  readonly type: string;
  /** With quotes; undefined when the name changes with the content. Such an asset has but one coding, as it has one tag. */
  readonly etag: string | undefined;
  /** Is kept outside of memory as far as possible. */
  readonly content: Readonly<Partial<Record<Coding, Blob>> & { identity: Blob }>;
}

export interface Site {
  readonly pages: Readonly<Record<PageName, Page>>;
  /** By name: what follows `/assets/`. */
  readonly assets: ReadonlyMap<string, Asset>;
}
