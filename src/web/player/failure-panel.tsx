/** What is said when there is no picture, or no sound (status.md section 13). */
import type { MediaFailure } from "./backend.ts";
import { usePlayer, useTexts } from "./context.ts";
import { ExternalLinks } from "./external-links.tsx";
import { Icon } from "./icons.tsx";
import { useStore } from "./store.ts";
import type { Translate } from "./texts.ts";

export function FailurePanel() {
  const { session } = usePlayer();
  const t = useTexts();
  const { failure, url } = useStore(session.store);
  if (!failure) return null;
  const isUnsupported = failure.kind === "unsupported";
  return (
    <div class="panel" role="alert">
      <Icon name="warning" />
      <h2>{t(isUnsupported ? "unsupportedTitle" : "failedTitle")}</h2>
      <p>{reason(failure, t)}</p>
      {failure.kind === "http" && <code class="url">{url}</code>}
      {isUnsupported ? (
        <ExternalLinks />
      ) : (
        <div class="buttons">
          <button type="button" class="button primary" onClick={() => session.tryAgain()}>
            <Icon name="reload" />
            {t("tryAgain")}
          </button>
        </div>
      )}
    </div>
  );
}

function reason(failure: MediaFailure, t: Translate): string {
  switch (failure.kind) {
    case "unsupported":
      return t("unsupportedText", failure.codecs.join(" + ") || t("unknownCodec"));
    case "http":
      if (failure.status === 401 || failure.status === 403) return t("failedDenied", failure.status);
      return t(failure.status === 503 ? "failedBusy" : "failedHttp", failure.status);
    case "network":
      return t("failedNetwork");
    case "format":
      return t("failedFormat");
    case "decode":
      return t("failedDecode");
    case "ended":
      return t("failedEnded");
  }
}

/** The picture plays on meanwhile. */
export function SilentNotice() {
  const { session } = usePlayer();
  const t = useTexts();
  const { silentCodec } = useStore(session.store);
  if (!silentCodec) return null;
  return (
    <div class="notice" role="status">
      <Icon name="muted" />
      <p>{t("silent", silentCodec)}</p>
      <ExternalLinks />
      <button type="button" class="tool" aria-label={t("close")} onClick={() => session.dismissNotice()}>
        <Icon name="close" />
      </button>
    </div>
  );
}
