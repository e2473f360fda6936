/** The result of the last request, at the foot of the page for a while. */
import { useEffect } from "preact/hooks";
import { usePage } from "./context.ts";

const SHOWN_MS = 6000;

export interface Message {
  readonly isBad: boolean;
  readonly text: string;
}

/** Always there, so that a screen reader notices when it is filled. A failure stays until it is dismissed. */
export function MessageBar({ message, dismiss }: { message: Message | undefined; dismiss(): void }) {
  const { text } = usePage();
  useEffect(() => {
    if (message === undefined || message.isBad) return;
    const timer = setTimeout(dismiss, SHOWN_MS);
    return () => clearTimeout(timer);
  }, [message]);
  return (
    <div class="message-place" role="status">
      {message !== undefined && (
        <p class={`message ${message.isBad ? "tone-bad" : "tone-calm"}`}>
          {message.text}
          <button type="button" class="link" onClick={dismiss}>
            {text("dismiss")}
          </button>
        </p>
      )}
    </div>
  );
}
