// Leads back to the page before, such as from one that was not found.

import { onClick } from "./events.js";

onClick("[data-back]", () => history.back());
