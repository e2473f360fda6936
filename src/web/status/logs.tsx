/** What the processes logged, the newest line at the bottom. */
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { LEVEL_NAMES } from "../../wire/status/event.ts";
import { usePage } from "./context.ts";
import { formatDateTime } from "./format.ts";
import { Section } from "./section.tsx";
import { setLogLevel } from "./status-api.ts";
import { type LogRow, linesUpTo } from "./status-model.ts";

/** So close to the end counts as at the end. */
const END_TOLERANCE_PX = 24;

export function Logs({ rows, level }: { rows: readonly LogRow[]; level: number | undefined }) {
  const { text } = usePage();
  const [follows, setFollows] = useState(true);
  const tools = (
    <>
      <LevelChoice level={level} />
      <label class="check">
        <input type="checkbox" checked={follows} onChange={({ currentTarget }) => setFollows(currentTarget.checked)} />
        {text("autoScroll")}
      </label>
    </>
  );
  return (
    <Section id="logs" title={text("logs")} tools={tools}>
      <Lines rows={linesUpTo(rows, level)} follows={follows} stopFollowing={() => setFollows(false)} />
    </Section>
  );
}

interface LinesProps {
  readonly rows: readonly LogRow[];
  readonly follows: boolean;
  stopFollowing(): void;
}

function Lines({ rows, follows, stopFollowing }: LinesProps) {
  const { text } = usePage();
  const box = useRef<HTMLDivElement>(null);
  const scrolledTo = useRef(0);
  useLayoutEffect(() => {
    if (follows && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [rows.at(-1)?.key, rows.length, follows]);
  /** Who scrolls back wants to read: the lines stand still then. */
  const onScroll = () => {
    const { scrollTop = 0, scrollHeight = 0, clientHeight = 0 } = box.current ?? {};
    const isAtEnd = scrollHeight - clientHeight - scrollTop <= END_TOLERANCE_PX;
    if (follows && scrollTop < scrolledTo.current && !isAtEnd) stopFollowing();
    scrolledTo.current = scrollTop;
  };
  return (
    // A log by its role, but silent: read aloud, every line would interrupt.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <div class="log" role="log" aria-live="off" aria-label={text("logs")} tabIndex={0} ref={box} onScroll={onScroll}>
      {rows.length === 0 ? (
        <p class="empty">{text("noLogs")}</p>
      ) : (
        <ol>
          {rows.map((row) => (
            <li key={row.key}>
              <time class="faint">{formatDateTime(row.timestamp)}</time>
              <span class={`level level-${row.levelName.toLowerCase()}`}>{row.levelName}</span>
              <span class="line">{row.message}</span>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

function LevelChoice({ level }: { level: number | undefined }) {
  const { text, isConnected, report } = usePage();
  const id = useId();
  const choose = async (select: HTMLSelectElement) => {
    const chosen = select.selectedIndex;
    const result = await setLogLevel(chosen);
    // The event stream says which level is in force; what the server refused must not stay chosen.
    if (!result.isDone) select.selectedIndex = level ?? -1;
    report(result, text("done.log-level", { level: LEVEL_NAMES[chosen] ?? "" }));
  };
  return (
    <>
      <label for={id}>{text("logLevel")}</label>
      <select
        id={id}
        value={LEVEL_NAMES[level ?? -1] ?? ""}
        disabled={!isConnected}
        onChange={({ currentTarget }) => choose(currentTarget)}
      >
        {LEVEL_NAMES.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </>
  );
}
