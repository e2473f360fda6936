/** What can be done to the whole service: asked twice, because others are watching. */
import { useRef, useState } from "preact/hooks";
import { usePage } from "./context.ts";
import { Section } from "./section.tsx";
import { requestService, type ServiceAction } from "./status-api.ts";

const ACTIONS: readonly ServiceAction[] = ["reload-config", "restart-workers", "clear-logs"];

export function ServiceControl() {
  const { text, isConnected, report } = usePage();
  const dialog = useRef<HTMLDialogElement>(null);
  const [asked, setAsked] = useState<ServiceAction>("reload-config");
  const ask = (action: ServiceAction) => {
    setAsked(action);
    dialog.current?.showModal();
  };
  const confirm = async () => {
    dialog.current?.close();
    report(await requestService(asked), text(`done.${asked}`));
  };
  return (
    <Section id="control" title={text("serviceControl")}>
      <div class="controls">
        {ACTIONS.map((action) => (
          <button key={action} type="button" class="button" disabled={!isConnected} onClick={() => ask(action)}>
            {text(`action.${action}`)}
          </button>
        ))}
      </div>
      <dialog class="dialog" ref={dialog} aria-labelledby="dialog-title" aria-describedby="dialog-text">
        <h2 id="dialog-title">{text(`action.${asked}`)}</h2>
        <p id="dialog-text">{text(`explain.${asked}`)}</p>
        <div class="dialog-buttons">
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            {text("cancel")}
          </button>
          <button type="button" class="button primary" disabled={!isConnected} onClick={confirm}>
            {text(`action.${asked}`)}
          </button>
        </div>
      </dialog>
    </Section>
  );
}
