/** The page as a whole: its stream, its choices, its sections. */
import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import type { Locale } from "../shared/locale.ts";
import { chooseTheme, readTheme, type Theme } from "../shared/theme.ts";
import { Charts } from "./charts.tsx";
import { readLocale, readUnit, storeLocale, storeUnit, THEME_KEY } from "./choices.ts";
import { Connections } from "./connections.tsx";
import { type PageContext, PageContextProvider } from "./context.ts";
import type { BandwidthUnit } from "./format.ts";
import { Header } from "./header.tsx";
import { Logs } from "./logs.tsx";
import { type Message, MessageBar } from "./message-bar.tsx";
import { ServiceControl } from "./service-control.tsx";
import type { ApiResult } from "./status-api.ts";
import { pageUrl } from "./status-api.ts";
import { StatusModel } from "./status-model.ts";
import { type ConnectionState, StatusStream } from "./status-stream.ts";
import { Summary } from "./summary.tsx";
import { textsIn } from "./texts.ts";
import { Upstreams } from "./upstreams.tsx";
import { Workers } from "./workers.tsx";

export function App() {
  const { model, connection } = useStatus();
  const [locale, setLocale] = useState<Locale>(readLocale);
  const [theme, setTheme] = useState<Theme>(() => readTheme(THEME_KEY));
  const [unit, setUnit] = useState<BandwidthUnit>(readUnit);
  const [message, setMessage] = useState<Message | undefined>();
  const text = useMemo(() => textsIn(locale), [locale]);

  useEffect(() => {
    document.documentElement.lang = locale;
    document.title = text("pageTitle");
  }, [locale]);

  const isConnected = connection === "connected";
  const isMisdirected = connection === "misdirected";
  const report = ({ isDone, reason }: ApiResult, done: string) =>
    setMessage({ isBad: !isDone, text: isDone ? done : text("failed", { reason }) });
  const page: PageContext = { locale, theme, unit, text, isConnected, isMisdirected, report };
  const choose = {
    locale: (chosen: Locale) => {
      storeLocale(chosen);
      setLocale(chosen);
    },
    theme: (chosen: Theme) => {
      chooseTheme(THEME_KEY, chosen);
      setTheme(chosen);
    },
    unit: (chosen: BandwidthUnit) => {
      storeUnit(chosen);
      setUnit(chosen);
    },
  };

  return (
    <PageContextProvider value={page}>
      <a class="skip-link" href={`${location.pathname}${location.search}#content`}>
        {text("skipToContent")}
      </a>
      <Header model={model} connection={connection} choose={choose} />
      <main id="content" class={isConnected || model.event === undefined ? "" : "stale"} tabIndex={-1}>
        <Summary model={model} />
        <Charts history={model.history} maxClients={model.event?.maxClients} />
        <Connections list={model.clients} />
        <Upstreams rows={model.upstreams.rows} isReported={model.event?.upstreams !== undefined} />
        <div class="columns">
          <Logs rows={model.logs.rows} level={model.event?.currentLogLevel} />
          <div class="column">
            <Workers workers={model.event?.workers ?? []} />
            <ServiceControl />
          </div>
        </div>
      </main>
      <MessageBar message={message} dismiss={() => setMessage(undefined)} />
    </PageContextProvider>
  );
}

/** Opens the stream as long as the page is there, and draws the page again after every event. */
function useStatus(): { model: StatusModel; connection: ConnectionState } {
  const model = useRef<StatusModel>(undefined);
  model.current ??= new StatusModel();
  const [connection, setConnection] = useState<ConnectionState>("connecting");
  const [, redraw] = useReducer<number, undefined>((count) => count + 1, 0);
  useEffect(() => {
    const stream = new StatusStream(pageUrl("/sse"), {
      onEvent: (event) => {
        model.current?.apply(event, Date.now());
        redraw(undefined);
      },
      onState: setConnection,
    });
    stream.open();
    return () => stream.close();
  }, []);
  return { model: model.current, connection };
}
