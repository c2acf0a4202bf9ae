// The page of the static site: this tab reads the images.

import { startPage } from "../../server/static/page.js";
import { TabEngine } from "./tab_engine.js";

startPage(new TabEngine(new URL("../../../", import.meta.url).href));
if ("serviceWorker" in navigator) navigator.serviceWorker.register("sw.js").catch(() => {}); // without it, the page needs its network
