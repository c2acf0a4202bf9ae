// The page of `facemood serve`: a server reads the images, or this tab, where that is asked for.

import { startPage } from "./page.js";
import { ServerEngine } from "./server_engine.js";
import { offerTab } from "./tab_switch.js";

const server = new ServerEngine();
startPage(server).then((settings) => settings?.tab && offerTab(server));
