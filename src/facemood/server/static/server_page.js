// The page of `facemood serve`: a server reads the images.

import { startPage } from "./page.js";
import { ServerEngine } from "./server_engine.js";

startPage(new ServerEngine());
