/** The ways out of the browser: VLC, a playlist file, the bare link. */
import { useState } from "preact/hooks";
import { usePlayer, useTexts } from "./context.ts";
import { Icon } from "./icons.tsx";
import { absoluteUrl, copyText, saveAsPlaylist, vlcUrl } from "./links.ts";
import { useStore } from "./store.ts";

export function ExternalLinks() {
  const { session } = usePlayer();
  const t = useTexts();
  const { channel, url } = useStore(session.store);
  const [isCopied, setCopied] = useState(false);
  if (!channel) return null;
  const copy = async () => setCopied(await copyText(absoluteUrl(url)));
  return (
    <div class="buttons">
      <a class="button primary" href={vlcUrl(url)}>
        <Icon name="external" />
        {t("openInVlc")}
      </a>
      <button type="button" class="button" onClick={() => saveAsPlaylist(channel, url)}>
        <Icon name="download" />
        {t("downloadM3u")}
      </button>
      <button type="button" class="button" onClick={copy}>
        <Icon name="link" />
        {t(isCopied ? "copied" : "copyLink")}
      </button>
    </div>
  );
}
