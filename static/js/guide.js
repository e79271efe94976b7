// The entry of the guide's pages, next to pages.js.

import "./contents.js";
import "./guide-search.js";
import "./try.js";
