/** The status page. */
import { render } from "preact";
import "../shared/tokens.css";

render(<p>sluice</p>, document.getElementById("app") as HTMLElement);
