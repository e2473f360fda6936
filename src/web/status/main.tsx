/** The status page. */
import { render } from "preact";
import { readTheme, showTheme } from "../shared/theme.ts";
import "../shared/tokens.css";
import "uplot/dist/uPlot.min.css";
import "./status.css";
import "./panels.css";
import { App } from "./app.tsx";
import { THEME_KEY } from "./choices.ts";

showTheme(readTheme(THEME_KEY));
render(<App />, document.getElementById("app") as HTMLElement);
