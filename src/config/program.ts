/** The name and version of the program. */

import { version } from "../../package.json";

export const PROGRAM_NAME = "sluice";
export const PROGRAM_VERSION: string = version;
